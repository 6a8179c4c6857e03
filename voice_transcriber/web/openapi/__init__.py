"""The API's own document (OpenAPI 3.1), made from its routes and the models that validate.

A view says what it takes and gives with `@documented`; address and method are those of its
route, schemas are those of its models, statuses of errors are those of web.errors.
"""
