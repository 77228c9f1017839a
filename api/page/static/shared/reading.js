// Reading what changes: nothing that has changed is missed.

import { insist, Problem } from "./api.js";

/**
 * Returns a function that reads something anew. Calls while it reads lead to one more read.
 *
 * @param read Reads once, and shows what it has read.
 * @param onProblem Is called with each problem.
 */
export function makeReader(read, onProblem = () => {}) {
  let wanted = false;
  let reading = false;
  return async () => {
    wanted = true;
    if (reading) return;
    reading = true;
    try {
      while (wanted) {
        wanted = false;
        await insist(read, onProblem).catch((problem) => {
          if (!(problem instanceof Problem)) throw problem;
          onProblem(problem);
        });
      }
    } finally {
      reading = false;
    }
  };
}
