"""Which lines of a package ran, with nothing but Python: a trace function, and a Cobertura file at the end."""

import sys
import threading
from pathlib import Path
from types import CodeType
from xml.etree import ElementTree


class Coverage:
    """`with Coverage("shop") as coverage:` watches the package's files, in all threads started meanwhile."""

    def __init__(self, package):
        self._files = {str(path.resolve()): path for path in sorted(Path(package).rglob("*.py"))}
        self._ran = {name: set() for name in self._files}

    def __enter__(self):
        threading.settrace(self._call)
        sys.settrace(self._call)
        return self

    def __exit__(self, *_):
        sys.settrace(None)
        threading.settrace(None)

    def _call(self, frame, event, argument):
        lines = self._ran.get(frame.f_code.co_filename)
        if lines is None:
            return None

        def line(frame, event, argument):
            lines.add(frame.f_lineno)
            return line

        return line(frame, event, argument)

    def counts(self):
        """File -> (lines that ran, lines that can run)."""
        can = {name: executable(path) for name, path in self._files.items()}
        return {path: (self._ran[name] & can[name], can[name]) for name, path in self._files.items()}

    def write(self, path):
        """Write Cobertura's XML."""
        counts = self.counts()
        total = {"lines-covered": sum(len(ran) for ran, _ in counts.values())}
        total["lines-valid"] = sum(len(can) for _, can in counts.values())
        root = ElementTree.Element("coverage", {name: str(count) for name, count in total.items()})
        classes = ElementTree.SubElement(ElementTree.SubElement(root, "packages"), "package", name="shop")
        for file, (ran, can) in counts.items():
            lines = ElementTree.SubElement(
                ElementTree.SubElement(classes, "class", name=file.stem, filename=file.as_posix()), "lines"
            )
            for number in sorted(can):
                ElementTree.SubElement(lines, "line", number=str(number), hits=str(int(number in ran)))
        ElementTree.ElementTree(root).write(path, encoding="unicode", xml_declaration=True)


def executable(path):
    """The lines of a file that have code."""
    found, rest = set(), [compile(path.read_text(), str(path), "exec")]
    while rest:
        code = rest.pop()
        found |= {line for _, _, line in code.co_lines() if line}
        rest += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return found
