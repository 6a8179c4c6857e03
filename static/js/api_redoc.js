// ReDoc over the API's document.

const place = document.getElementById("api");

window.Redoc.init(
  place.dataset.document,
  {
    disableSearch: true, // it would need workers made from text; the browser's own search finds all
    hideDownloadButtons: true,
    nativeScrollbars: true,
    theme: { typography: { fontFamily: "inherit", headings: { fontFamily: "inherit" } } },
  },
  place,
);
