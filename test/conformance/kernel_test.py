"""jupyter_kernel_test in full against the kernelspec `millrace`; started by jupyter-kernel-test.test.ts."""
import unittest

import jupyter_kernel_test


class MillraceKernelTests(jupyter_kernel_test.KernelTests):
    kernel_name = "millrace"
    language_name = "typescript"
    file_extension = ".ts"

    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('error message')"

    completion_samples = [
        {"text": "Number.isSafeI", "matches": {"isSafeInteger"}},
        {"text": "[1, 2].flatM", "matches": {"flatMap"}},
        {"text": "const wide = { alpha: 1 }; wide.al", "matches": {"alpha"}},
    ]

    complete_code_samples = [
        "1",
        "const x = [1, 2].map((n) => n + 1);",
        "function f() {\n  return 1;\n}",
        "await Promise.resolve(1)",
        "// only a comment",
        "import fs from 'node:fs'",
    ]
    incomplete_code_samples = [
        "function f() {",
        "const x = [1,",
        "if (true) {\n  console.log(1)",
        "`a template",
        "/* a comment",
        "f(1,",
        "const y =",
        "1 +",
    ]
    invalid_code_samples = ["import = 7q", "const = 3;", "x ]", "let let = 1 }"]

    code_page_something = "page('some help')"
    code_generate_error = "throw new Error('on purpose')"
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "'a' + 'b'", "result": "'ab'"},
        {"code": "await Promise.resolve([1, 2])", "result": "[ 1, 2 ]"},
        {"code": "6 * 7", "result": "42"},
        {"code": "6 * 7", "result": "42"},
    ]
    code_display_data = [
        {"code": "display({ 'text/html': '<b>bold</b>' })", "mime": "text/html"},
        {"code": "display(new Map([[1, 2]]))", "mime": "text/plain"},
    ]
    code_history_pattern = "6 ?*7"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "parseInt"
    code_clear_output = "clearOutput()"


class MillraceWelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "millrace"
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main()
