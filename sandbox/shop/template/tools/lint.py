"""A short linter, so that the shop needs nothing but Python: syntax, unused imports, long lines, stray blanks."""

import ast
import sys
import warnings
from pathlib import Path

LONGEST = 120


def problems(path):
    text = path.read_text()
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LONGEST:
            yield number, f"longer than {LONGEST} characters"
        if line != line.rstrip() or "\t" in line:
            yield number, "trailing blanks or a tab"
    try:
        tree = ast.parse(text, str(path))
    except SyntaxError as error:
        yield error.lineno or 1, error.msg
        return
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                name = (alias.asname or alias.name).split(".")[0]
                if name not in used:
                    yield node.lineno, f"{name} is imported and not used"


def main(folders):
    warnings.simplefilter("error")
    files = [path for folder in folders for path in sorted(Path(folder).rglob("*.py"))]
    found = [f"{path}:{number}: {text}" for path in files for number, text in problems(path)]
    print("\n".join([*found, f"{len(files)} files, {len(found)} problems"]))
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
