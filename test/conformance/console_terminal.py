"""jupyter console in a pseudo-terminal, keys and all. Prints what was seen of each step; exits with 1 at the first that is not seen."""
import re
import sys

import pexpect

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")


class Terminal:
    def __init__(self, program):
        # An answer may take long on a busy machine, and a console that misses one never asks again.
        patience = [f"--ZMQTerminalInteractiveShell.{name}=60" for name in ("kernel_timeout", "kernel_is_complete_timeout")]
        self.child = pexpect.spawn(program, ["--kernel", "millrace", *patience], encoding="utf8", dimensions=(50, 120), timeout=90)
        self.seen = ""

    def see(self, pattern):
        """Reads until the screen's text, without its escapes, has the pattern."""
        while True:
            found = re.search(pattern, self.seen)
            if found:
                self.seen = self.seen[found.end():]
                print("saw", found.group(0).replace("\n", " ").strip(), flush=True)
                return
            try:
                # an escape may be cut in two: it is taken out of the whole
                self.seen = ESCAPES.sub("", self.seen + self.child.read_nonblocking(4096, 90))
            except (pexpect.TIMEOUT, pexpect.EOF) as end:
                print(f"waited in vain for {pattern} ({type(end).__name__}); the screen says: {self.seen[-2000:]!r}", flush=True)
                self.child.close(force=True)
                sys.exit(1)

    def type(self, keys):
        self.child.send(keys)


console = Terminal(sys.argv[1])
console.see(r"Millrace .* on Node\.js")
console.see(r"In \[1\]: ")
console.type("const typed = 40\r")
console.see(r"In \[2\]: ")
console.type("typed + 2\r")
console.see(r"Out\[2\]: 42")
console.see(r"In \[3\]: ")

# three lines: the console asks after each whether there is more to come
console.type("function twice(n: number) {\r")
console.see(r"\.\.\.: ")
console.type("return n * 2;\r")
console.see(r"\.\.\.: ")
console.type("}\r")
console.see(r"In \[4\]: ")

console.type("twi\t")
console.see("twice")
console.type("(21.5)\r")
console.see(r"Out\[4\]: 43")
console.see(r"In \[5\]: ")

console.type("console.log('in the ' + 'loop'); for (;;) {}\r")
console.see("in the loop")
console.child.sendintr()
console.see("Interrupted")
console.see(r"In \[6\]: ")
console.type("typed\r")
console.see(r"Out\[6\]: 40")
console.see(r"In \[7\]: ")

console.type("const text: number = 'no'\r")
console.see("TS2322")
console.see(r"In \[8\]: ")
console.child.sendeof()
console.see(r"exit.*\?")
console.type("y\r")
console.child.expect(pexpect.EOF)
console.child.close()
print("exit", console.child.exitstatus, flush=True)
