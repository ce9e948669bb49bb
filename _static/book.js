// Each figure gets a box in which it can scroll on a phone, and a link to its own file, so that it can be kept.
document.addEventListener("DOMContentLoaded", () => {
  for (const figure of document.querySelectorAll("article figure[id]")) {
    const image = figure.querySelector("img");
    const caption = figure.querySelector("figcaption");
    if (!image || !caption) continue;
    const box = document.createElement("div");
    box.className = "figure-box";
    box.tabIndex = 0; // a keyboard can scroll it too
    image.replaceWith(box);
    box.append(image);
    const link = document.createElement("a");
    link.href = image.getAttribute("src");
    link.download = `${figure.id}.${link.href.split(".").pop()}`;
    link.className = "figure-download";
    link.textContent = "Download";
    link.setAttribute("aria-label", `Download ${figure.id}`);
    (caption.querySelector("p") ?? caption).append(link);
  }
});

// A formula inside a sentence cannot be broken: where it is wider than a phone, it scrolls in a line of its own.
window.addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  for (const formula of document.querySelectorAll("article mjx-container:not([display])")) {
    const block = formula.closest("p, li, dd, td, figcaption");
    if (block && formula.offsetWidth > block.clientWidth) formula.classList.add("wide-formula");
  }
});
