// Deleting artifacts: by hand, and by age. The record of an experiment is never deleted.

import { at, call, get } from "../shared/api.js";
import { confirm } from "../shared/confirm.js";
import { h, setText } from "../shared/dom.js";
import { counted, number } from "../shared/format.js";
import { may, say } from "../shared/shell.js";

const IN_USE = "artifacts_in_use";
const UNITS = ["B", "kB", "MB", "GB"];

/** `812 B`, `1.2 MB`. */
export function size(bytes) {
  const power = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${number(bytes / 1000 ** power, power ? 1 : 0)} ${UNITS[power]}`;
}

/** Asks, then deletes what these experiments have stored. */
export async function erase(rows) {
  const stored = await Promise.all(rows.map((row) => get(at("/operations/", row.operation_id, "/artifacts"))));
  const names = rows.map((row, index) => `${name(row)}: ${describe(stored[index].data)}`);
  const sure = await confirm({
    title: `Delete the artifacts of ${counted(rows.length, "experiment")} for good? The record is kept.`,
    names,
    verb: "Delete artifacts",
    danger: true,
  });
  if (sure === null) return;
  const kept = [];
  let [freed, done] = [0, 0];
  const remove = async (row, query) => {
    const { data } = await call("DELETE", at("/operations/", row.operation_id, "/artifacts"), { query });
    freed += data.size_bytes;
    done += 1;
  };
  for (const row of rows) {
    try {
      await remove(row);
    } catch (error) {
      if (error.reason !== IN_USE) throw error;
      kept.push([row, error.message]);
    }
  }
  const resumable = kept.filter(([row]) => row.status !== "completed");
  if (resumable.length) {
    const even = await confirm({
      title: "These could be resumed, and then no longer could. Delete theirs, too?",
      names: resumable.map(([row]) => name(row)),
      verb: "Delete, and never resume",
      danger: true,
    });
    if (even !== null) for (const [row] of resumable) await remove(row, { resumable: true });
  }
  say(`Deleted the artifacts of ${counted(done, "experiment")}: ${size(freed)}.`);
}

const name = (row) => `${row.strategy_name ?? "no strategy"}, ${row.symbol} ${row.timeframe}, ${row.operation_id}`;

const describe = ({ artifacts, size_bytes: bytes, deleted_at: deleted }) =>
  artifacts.length ? `${counted(artifacts.length, "artifact")}, ${size(bytes)}` : deleted ? "deleted already" : "nothing is stored";

/** Asks for an age, shows what would be deleted, then deletes it. */
export function eraseOld(caller) {
  const days = h("input", { id: "days", type: "number", min: 0, max: 36500, value: 90, required: true });
  const owner = h("input", { id: "erase-owner", maxlength: 64, autocomplete: "off", spellcheck: "false", placeholder: "Anybody" });
  const resumable = h("input", { id: "erase-resumable", type: "checkbox" });
  const outcome = h("p", { role: "status", class: "outcome-of-age" });
  const button = h("button", { class: "main danger" }, "Show what would be deleted");
  const others = !caller.keys || may(caller, "admin");
  const form = h(
    "form",
    { class: "stack" },
    h("h2", { id: "erase-title" }, "Delete old artifacts"),
    h("p", { class: "quiet" }, "Models, curves and reports of operations that have stored nothing for long. Their record is kept."),
    h("label", { for: "days" }, "Older than so many days"),
    days,
    others && h("label", { for: "erase-owner" }, "Owner"),
    others && owner,
    h("label", { class: "check" }, resumable, "Also what failed and cancelled operations could be resumed from"),
    outcome,
    h("div", { class: "actions" }, h("button", { type: "button", onclick: () => dialog.close() }, "Do nothing"), button),
  );
  const dialog = h("dialog", { "aria-labelledby": "erase-title" }, form);
  let shown = false;
  const forget = () => {
    shown = false;
    setText(outcome, "");
    setText(button, "Show what would be deleted");
  };
  form.addEventListener("input", forget);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const query = { older_than_days: days.value, owner: owner.value.trim(), resumable: resumable.checked || undefined };
    try {
      const { data } = await call("DELETE", "/artifacts", { query: { ...query, dry_run: shown ? undefined : true } });
      const what = `${counted(data.artifacts, "artifact")} of ${counted(data.operation_ids.length, "operation")}, ${size(data.size_bytes)}`;
      const kept = data.kept.length ? ` ${counted(data.kept.length, "operation is", "operations are")} in use and kept.` : "";
      if (shown) {
        say(`Deleted ${what}.${data.more ? " There is more." : ""}`);
        dialog.close();
      } else if (data.operation_ids.length) {
        shown = true;
        setText(outcome, `This deletes ${what}, for good.${kept}`);
        setText(button, "Delete");
      } else {
        setText(outcome, `Nothing is that old.${kept}`);
      }
    } catch (error) {
      setText(outcome, error.message);
    } finally {
      button.disabled = false;
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
