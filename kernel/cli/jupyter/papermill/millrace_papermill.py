"""Teaches papermill to write parameters for notebooks in TypeScript; `millrace install` puts it beside papermill.

papermill takes no translators from other packages, but loads their engines when it starts: this one is its own, and registers the translator.
"""

import json
import re

from papermill.engines import NBClientEngine
from papermill.exceptions import PapermillException
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

IDENTIFIER = re.compile(r"[^\W\d][\w$]*|[_$][\w$]*")
DECLARATION = re.compile(
    r"^\s*(?:export\s+)?(?:const|let|var)\s+(?P<name>[\w$]+)\s*(?::\s*(?P<type>[^=]+?))?\s*=\s*(?P<value>.+?)\s*;?\s*"
    r"(?://\s*(?P<help>.*))?$"
)


class TypeScriptTranslator(Translator):
    """`const name = value;`, and the environment variable that the library's `param("name", default)` reads."""

    @classmethod
    def translate(cls, val):
        return json.dumps(val, ensure_ascii=False, default=str)

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}".strip()

    @classmethod
    def assign(cls, name, str_val):
        return f"const {name} = {str_val};"

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        for name in parameters:
            if not IDENTIFIER.fullmatch(name):
                raise PapermillException(f"The parameter {name!r} is no name in TypeScript: use letters, digits, _ and $")
        lines = [cls.comment(comment)]
        # First, so that a declaration stands last: an assignment there would be shown as the cell's result.
        for name, value in parameters.items():
            if isinstance(value, (str, bool, int, float)):
                text = value if isinstance(value, str) else cls.translate(value)
                lines.append(f'process.env.{variable(name)} = {cls.translate(text)}; // for param("{name}", ...)')
        lines += [cls.assign(name, cls.translate(value)) for name, value in parameters.items()]
        return "\n".join(lines) + "\n"

    @classmethod
    def inspect(cls, parameters_cell):
        found = (DECLARATION.match(line) for line in parameters_cell["source"].split("\n"))
        return [
            Parameter(
                name=match["name"],
                inferred_type_name=match["type"] or "None",
                default=match["value"],
                help=match["help"] or "",
            )
            for match in found
            if match
        ]


def variable(name):
    """`maxLag` is `MAX_LAG` in the environment."""
    return re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3_\2\4", name).upper()


for key in ("millrace", "typescript"):
    papermill_translators.register(key, TypeScriptTranslator)


class MillraceEngine(NBClientEngine):
    """papermill's own engine under another name."""
