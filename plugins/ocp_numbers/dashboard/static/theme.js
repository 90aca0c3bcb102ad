// Light or dark as Airflow is: it keeps the choice where pages of the same origin can read it.
(() => {
  const show = () => {
    let chosen = null;
    try { chosen = localStorage.getItem("theme"); } catch { /* storage is off: as the system has it */ }
    const root = document.documentElement;
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
    else delete root.dataset.theme;
    document.dispatchEvent(new Event("theme"));
  };
  show();
  window.addEventListener("storage", (event) => { if (event.key === "theme") show(); });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
})();
