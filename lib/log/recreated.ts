import { MillraceError } from "../error.ts";

/** The error of a topic that is another one under the same name since reading it began. */
export const recreated = (topic: string) =>
  new MillraceError({
    code: "TOPIC_RECREATED",
    what: "The topic was deleted and created again while it was being read: its offsets start anew.",
    where: `topic ${topic}`,
    remedies: ["read it again from the start", "a job with state starts under a new name: MILLRACE_JOB_NAME"],
  });
