// Each figure gets a link to its own file, so that it can be kept or reused.
document.addEventListener("DOMContentLoaded", () => {
  for (const figure of document.querySelectorAll("article figure[id]")) {
    const image = figure.querySelector("img");
    const caption = figure.querySelector("figcaption");
    if (!image || !caption) continue;
    const link = document.createElement("a");
    link.href = image.getAttribute("src");
    link.download = `${figure.id}.${link.href.split(".").pop()}`;
    link.className = "figure-download";
    link.textContent = "Download";
    link.setAttribute("aria-label", `Download ${figure.id}`);
    (caption.querySelector("p") ?? caption).append(link);
  }
});
