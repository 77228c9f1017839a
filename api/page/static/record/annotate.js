// Notes and tags: dialogs for one experiment, and for several at once.

import { at, call } from "../shared/api.js";
import { h, setText } from "../shared/dom.js";
import { counted } from "../shared/format.js";
import { say } from "../shared/shell.js";
import { splitTags } from "./tags.js";

const LONGEST_NOTE = 4000;

/** Asks for note and tags. Resolves to whether something has changed. */
export function annotate(row) {
  const note = h("textarea", { id: "note", maxlength: LONGEST_NOTE });
  note.value = row.note ?? "";
  const tags = h("input", { id: "tags", list: "known-tags", autocomplete: "off", spellcheck: "false" });
  tags.value = row.tags.join(" ");
  return ask({
    title: `Note and tags of ${row.strategy_name ?? row.operation_id}`,
    fields: [
      h("label", { for: "note" }, "Note"),
      note,
      h("label", { for: "tags" }, "Tags, separated by spaces"),
      tags,
    ],
    verb: "Save",
    save: async () => {
      const wanted = splitTags(tags.value);
      const body = {
        ...(note.value !== (row.note ?? "") && { note: note.value }),
        add_tags: wanted.filter((tag) => !row.tags.includes(tag)),
        remove_tags: row.tags.filter((tag) => !wanted.includes(tag)),
      };
      if (body.note === undefined && !body.add_tags.length && !body.remove_tags.length) return;
      await call("PATCH", at("/experiments/", row.operation_id), { body });
      say("Saved.");
    },
  });
}

/** Asks which tags to add and to remove. Resolves to whether something has changed. */
export function tagAll(rows) {
  const fields = ["add", "remove"].map((name) => h("input", { id: `tags-${name}`, list: "known-tags", autocomplete: "off", spellcheck: "false" }));
  return ask({
    title: `Tags of ${counted(rows.length, "experiment")}`,
    fields: [
      h("label", { for: "tags-add" }, "Add, separated by spaces"),
      fields[0],
      h("label", { for: "tags-remove" }, "Remove"),
      fields[1],
    ],
    verb: "Save",
    save: async () => {
      const [add, remove] = fields.map((field) => splitTags(field.value));
      for (const row of rows) {
        await call("PATCH", at("/experiments/", row.operation_id), { body: { add_tags: add, remove_tags: remove } });
      }
      say(`Saved for ${counted(rows.length, "experiment")}.`);
    },
  });
}

function ask({ title, fields, verb, save }) {
  return new Promise((resolve) => {
    const problem = h("p", { class: "problem", role: "alert" });
    const button = h("button", { class: "main" }, verb);
    const form = h(
      "form",
      { class: "stack" },
      h("h2", { id: "annotate-title" }, title),
      fields,
      problem,
      h("div", { class: "actions" }, h("button", { type: "button", onclick: () => dialog.close() }, "Do nothing"), button),
    );
    const dialog = h("dialog", { "aria-labelledby": "annotate-title" }, form);
    let saved = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        await save();
        saved = true;
        dialog.close();
      } catch (error) {
        // The dialog stays, with what was typed.
        setText(problem, error.message);
      } finally {
        button.disabled = false;
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(saved);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
