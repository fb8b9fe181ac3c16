// Run by scripts/setup.mjs: what takes some seconds once, and is better not waited for in the first notebook.
import { makeLibraryTypes } from "../promote/job/make-library-types.ts";
import { declarationsTold } from "./declarations-told.ts";

await makeLibraryTypes(declarationsTold((line) => console.log(line)));
