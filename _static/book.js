// Each figure gets a box in which it can scroll on a phone.
document.addEventListener("DOMContentLoaded", () => {
  for (const figure of document.querySelectorAll("article figure[id]")) {
    const image = figure.querySelector("img");
    if (!image) continue;
    const box = document.createElement("div");
    box.className = "figure-box";
    box.tabIndex = 0; // a keyboard can scroll it too
    image.replaceWith(box);
    box.append(image);
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
