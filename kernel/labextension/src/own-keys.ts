/**
 * Keys pressed inside belong to what is inside: JupyterLab takes single letters and arrows for commands of the notebook (`d d` deletes the cell)
 * wherever in a cell the focus is. Escape gives them back to the cell.
 */
export function ownKeys<E extends HTMLElement>(node: E): E {
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape") node.closest<HTMLElement>(".jp-Cell")?.focus();
    else if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
  return node;
}
