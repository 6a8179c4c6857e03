"""The job store: the database row is the job."""
