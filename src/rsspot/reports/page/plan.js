// Lists the changes of the plan, a part at a time, and searches them. Everything is written as text, never as markup.
"use strict";

const PART = 100;
const FEW = 20; // So many changes are shown open.
const changes = JSON.parse(document.getElementById("changes-data").textContent);
const list = document.getElementById("changes");
const search = document.getElementById("search");
const found = document.getElementById("found");
const more = document.getElementById("more");
const haystacks = new Array(changes.length);
let matching = changes;
let shown = 0;

function haystack(index) {
  // Worked out when it is first searched: a plan may have thousands of changes that nobody searches.
  haystacks[index] ??= JSON.stringify(changes[index]).toLowerCase();
  return haystacks[index];
}

function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function fieldTable(fields) {
  const table = make("table");
  const head = table.createTHead().insertRow();
  for (const title of ["Field", "Before", "After", "Note"]) {
    head.append(Object.assign(make("th", title), { scope: "col" }));
  }
  const body = table.createTBody();
  for (const [name, before, after, note] of fields) {
    const row = body.insertRow();
    row.append(Object.assign(make("th", name), { scope: "row" }));
    row.append(make("td", before ?? "", before == null ? "" : "old"));
    row.append(make("td", after ?? "", after == null ? "" : "new"), make("td", note));
  }
  return table;
}

function fill(details, change) {
  if (details.childElementCount > 1) return;
  if (change.where) details.append(make("p", change.where, "soft address"));
  if (change.fields.length) details.append(fieldTable(change.fields));
  else details.append(make("p", "No field is listed.", "soft"));
}

function entry(change) {
  const details = make("details", "", "change");
  const summary = make("summary");
  summary.append(make("span", change.verb, `action ${change.action}`), " ", make("span", change.address, "address"), " ");
  summary.append(make("span", change.reason, "soft"));
  details.append(summary);
  details.addEventListener("toggle", () => fill(details, change));
  details.open = matching.length <= FEW;
  return details;
}

function showMore(count) {
  const fragment = document.createDocumentFragment();
  const end = Math.min(matching.length, shown + count);
  for (; shown < end; shown += 1) fragment.append(entry(matching[shown]));
  list.append(fragment);
  more.hidden = shown >= matching.length;
}

function find() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  matching = words.length ? changes.filter((_, index) => words.every((word) => haystack(index).includes(word))) : changes;
  list.replaceChildren();
  shown = 0;
  showMore(PART);
  found.textContent = `${matching.length} of ${changes.length} changes`;
}

search.addEventListener("input", find);
more.addEventListener("click", () => showMore(PART));
new IntersectionObserver((entries) => {
  if (entries.some((each) => each.isIntersecting)) showMore(PART);
}, { rootMargin: "600px" }).observe(more);

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "Escape" && search.value) {
    event.preventDefault();
    search.value = "";
    find();
  }
});

window.addEventListener("beforeprint", () => {
  showMore(matching.length);
  for (const [index, details] of [...list.children].entries()) {
    fill(details, matching[index]);
    details.open = true;
  }
});

find();
