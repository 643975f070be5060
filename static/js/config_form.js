/* The configuration form: picking symbols, marks of what was changed, the group that is being read. */

const form = document.querySelector("[data-config]");
const fields = [...form.querySelectorAll(".sb-field")];

function values(field) {
  return [...field.querySelectorAll("input, select, textarea")].map((node) => (node.type === "checkbox" ? node.checked : node.value)).join("\n");
}

const first = new Map(fields.map((field) => [field, values(field)]));

function markChanged() {
  let count = 0;
  for (const field of fields) {
    const changed = values(field) !== first.get(field);
    field.toggleAttribute("data-changed-field", changed);
    count += changed ? 1 : 0;
  }
  form.querySelector("[data-changed]").textContent = count === 0 ? "" : `${count} ${count === 1 ? "field" : "fields"} changed`;
}
form.addEventListener("input", markChanged);

for (const picker of form.querySelectorAll("[data-pick-for]")) {
  const input = document.getElementById(picker.dataset.pickFor);
  const dataset = form.elements["dataset.id"];
  const chosen = () => input.value.split(/[,;\s]+/).filter(Boolean);
  const paint = () => {
    for (const set of picker.querySelectorAll("[data-dataset]")) set.hidden = set.dataset.dataset !== dataset.value;
    for (const chip of picker.querySelectorAll("button")) chip.setAttribute("aria-pressed", String(chosen().includes(chip.value)));
  };
  picker.addEventListener("click", (event) => {
    const chip = event.target.closest("button");
    if (!chip) return;
    const now = chosen();
    input.value = (now.includes(chip.value) ? now.filter((symbol) => symbol !== chip.value) : [...now, chip.value]).join(", ");
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  form.addEventListener("input", paint);
  paint();
}

const links = new Map([...form.querySelectorAll(".sb-toc a")].map((link) => [link.hash.slice(1), link]));
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) links.get(target.id)?.toggleAttribute("aria-current", isIntersecting);
}, { rootMargin: "-30% 0px -60% 0px" });
for (const group of form.querySelectorAll(".sb-group")) watcher.observe(group);

/* a link of the summary opens the folded group that holds its field */
document.addEventListener("click", (event) => {
  const link = event.target.closest(".sb-summary a");
  if (!link) return;
  event.preventDefault();
  const target = document.getElementById(link.hash.slice(1));
  target.closest("details")?.setAttribute("open", "");
  target.focus();
});
