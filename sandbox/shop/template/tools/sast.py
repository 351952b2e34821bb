"""Static security scan: bandit where it is installed; else, and it says so, a few checks of its own."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

CALLS = {
    "eval",
    "exec",
    "compile",
    "os.system",
    "os.popen",
    "pickle.loads",
    "pickle.load",
    "marshal.loads",
    "yaml.load",
}
SECRETS = ("password", "secret", "token", "api_key")


def problems(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if ast.unparse(node.func) in CALLS:
                yield node.lineno, f"{ast.unparse(node.func)} runs what it is given"
            if any(word.arg == "shell" and ast.unparse(word.value) == "True" for word in node.keywords):
                yield node.lineno, "a shell"
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            names = " ".join(ast.unparse(target).lower() for target in node.targets)
            if node.value.value and any(word in names for word in SECRETS):
                yield node.lineno, "a secret in the source"


def main(folder):
    if importlib.util.find_spec("bandit"):
        # One line a problem: the last lines are what people are told.
        shown = ["-q", "-f", "custom", "--msg-template", "{relpath}:{line}: {test_id}: {msg}"]
        return subprocess.run([sys.executable, "-m", "bandit", "-ll", *shown, "-r", folder], check=False).returncode
    print("bandit is not installed: only calls that run data, shells and secrets in the source are looked for")
    files = sorted(Path(folder).rglob("*.py"))
    found = [f"{path}:{line}: {text}" for path in files for line, text in problems(ast.parse(path.read_text()))]
    print("\n".join([*found, f"{len(files)} files, {len(found)} problems"]))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
