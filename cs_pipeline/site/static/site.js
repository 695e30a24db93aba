// Small comforts; every page works without them.
(() => {
  "use strict";
  const isTyping = (element) => element.matches("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "/") {
      event.preventDefault();
      document.querySelector(".find input").focus();
    }
    if (event.key === "j" || event.key === "k") {
      const links = [...document.querySelectorAll("main tbody tr a:first-of-type")].filter(
        (link, place, all) => place === 0 || link.closest("tr") !== all[place - 1].closest("tr")
      );
      const here = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
      const next = links[here < 0 ? 0 : Math.max(0, Math.min(links.length - 1, here + (event.key === "j" ? 1 : -1)))];
      if (next) next.focus();
    }
  });

  // A select with this mark shows its choice at once.
  document.querySelectorAll("select[data-show-at-once]").forEach((select) => {
    select.addEventListener("change", () => select.form.requestSubmit());
  });

  // One tick for all rows of a table.
  document.querySelectorAll("input[data-tick-all]").forEach((all) => {
    all.addEventListener("change", () => {
      all.closest("form, table").querySelectorAll("tbody input[type=checkbox]").forEach((each) => (each.checked = all.checked));
    });
  });
})();
