// The whole page takes files.

/** onFiles(files) for dropped and pasted files; `veil` covers the page while they are dragged. */
export function wireDrop({ veil, onFiles }) {
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0; // dragenter and dragleave come for every element on the way

  function show(change) {
    depth = Math.max(0, depth + change);
    veil.hidden = depth === 0;
  }

  addEventListener("dragenter", (event) => hasFiles(event) && show(+1));
  addEventListener("dragleave", (event) => hasFiles(event) && show(-1));
  addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    show(-depth);
    onFiles([...event.dataTransfer.files]);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return; // text into a field
    event.preventDefault();
    onFiles(files);
  });
}
