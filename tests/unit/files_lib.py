"""files_lib: what the tests of warder-files share: places in a temporary directory, records, TAP."""
import io
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile

BINARY = os.path.join(os.environ.get("top_builddir", "."), "sandbox/files/warder-files")
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
KINDS = ["", "progress", "note", "refused", "failed", "digest", "totals", "path", "restored", "dangerous",
         "new_test", "test", "counts", "match", "done", "image", "text", "grown", "user", "change", "hunk",
         "test_file", "why", "conflict", "remark"]
HEAD = struct.Struct("=HHIQQ")


def rule_names():
    """Names of rules by number, from the one place that defines them."""
    text = open(os.path.join(SOURCE, "base/rules.h")).read()
    body = text.split("enum RecordRule {")[1].split("_RECORD_RULE_MAX")[0]
    names = [w.strip() for line in body.splitlines() for w in [line.split("/*")[0].split(",")[0]]
             if w.strip().startswith("RULE_")]
    return [n.split("=")[0].strip()[5:].lower().replace("_", "-") for n in names]


RULES = rule_names()


class Record:
    def __init__(self, kind, flags, a, b, data):
        self.kind, self.flags, self.a, self.b, self.data = KINDS[kind], flags, a, b, data
        self.rule = RULES[flags] if self.kind in ("note", "refused") else None
        self.path = data.split(b"\0")[0]
        self.text = data.split(b"\0")[1].decode(errors="replace") if b"\0" in data and self.rule else ""

    def __repr__(self):
        return f"<{self.kind} {self.rule or self.flags} {self.a} {self.b} {self.data[:120]!r}>"


class Result:
    def __init__(self, done):
        self.code, self.out, self.raw = done.returncode, done.stdout, done.stderr
        self.records, at = [], 0
        while at + HEAD.size <= len(self.raw):
            kind, size, flags, a, b = HEAD.unpack_from(self.raw, at)
            if not 1 <= kind < len(KINDS):
                raise ValueError(f"not a record at {at}: {self.raw[at:at + 200]!r}")
            at += HEAD.size
            self.records.append(Record(kind, flags, a, b, self.raw[at:at + size]))
            at += size
        self.rest = self.raw[at:]

    def all(self, kind):
        return [r for r in self.records if r.kind == kind]

    def one(self, kind, flags=None):
        found = [r for r in self.all(kind) if flags is None or r.flags == flags]
        return found[0] if found else None

    @property
    def refused(self):
        r = self.one("refused")
        return r.rule if r else None

    @property
    def done(self):
        return self.code == 0 and self.records and self.records[-1].kind == "done"

    def notes(self):
        return sorted((r.path.decode(errors="replace"), r.rule) for r in self.all("note"))

    def digest(self, which=1):
        r = self.one("digest", which)
        return r.data.hex() if r else None


class Places:
    """A directory with the fixed places, gone at the end of the with block."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="warder-files-test.")
        for name in ("out", "old", "new", "upper", "tree"):
            os.mkdir(self.at(name))
        return self

    def __exit__(self, *_):
        subprocess.run(["chmod", "-R", "u+rwx", self.dir], check=False)
        shutil.rmtree(self.dir)

    def at(self, *names):
        return os.path.join(self.dir, *names)

    def start(self, verb, *words, stdin):
        """A job that is not waited for. @stdin: a descriptor"""
        return Waiting(subprocess.Popen([BINARY, verb, "--root", self.dir, *words], stdin=stdin, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE))

    def run(self, verb, *words, stdin=b"", wrap=(), **kw):
        """@wrap: a command that executes what follows it."""
        if isinstance(stdin, bytes):
            kw["input"] = stdin
        else:
            kw["stdin"] = stdin
        kw.setdefault("stdout", subprocess.PIPE)
        result = Result(subprocess.run([*wrap, BINARY, verb, "--root", self.dir, *words], stderr=subprocess.PIPE,
                                       timeout=120, **kw))
        if result.done and result.digest() and os.listdir(self.at("out")):
            again = self.check()
            if again.digest() != result.digest():
                raise AssertionError(f"{verb} made {result.digest()}, which is read again as {again.records}")
        return result

    def check(self, *words):
        """What "check" says of /out, as it lies in the store."""
        room = tempfile.mkdtemp(dir=self.dir)
        os.rename(self.at("out"), os.path.join(room, "old"))
        try:
            return Result(subprocess.run([BINARY, "check", "--root", room, *words], stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, timeout=120))
        finally:
            os.rename(os.path.join(room, "old"), self.at("out"))
            os.rmdir(room)


class Waiting:
    """A job that runs."""

    def __init__(self, process):
        self.process, self.poll = process, process.poll

    def result(self):
        self.process.stdout, self.process.stderr = self.process.communicate(timeout=120)
        return Result(self.process)


class Tar:
    """An archive that may say anything: tarfile checks nothing when it writes."""

    def __init__(self, mode="w", fmt=tarfile.PAX_FORMAT):
        self.file = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.file, mode=mode, format=fmt)

    def add(self, name, data=b"", type=tarfile.REGTYPE, **fields):
        info = tarfile.TarInfo(name)
        info.type, info.size, info.mode, info.mtime = type, len(data), 0o644, 1000000000
        for key, value in fields.items():
            setattr(info, key, value)
        self.tar.addfile(info, io.BytesIO(data))
        return self

    def dir(self, name, **fields):
        return self.add(name, type=tarfile.DIRTYPE, **{"mode": 0o755, **fields})

    def link(self, name, target, **fields):
        return self.add(name, type=tarfile.SYMTYPE, linkname=target, **{"mode": 0o777, **fields})

    def hard(self, name, target, **fields):
        return self.add(name, type=tarfile.LNKTYPE, linkname=target, **fields)

    def bytes(self):
        self.tar.close()
        return self.file.getvalue()


class Tap:
    def __init__(self):
        self.n = self.failed = 0

    def ok(self, good, what, *shown):
        self.n += 1
        print(("ok" if good else "not ok"), self.n, "-", what)
        if not good:
            self.failed += 1
            for s in shown:
                for line in str(s).split("\n")[:40]:
                    print("#", line)
        sys.stdout.flush()
        return good

    def same(self, got, want, what, *shown):
        return self.ok(got == want, what, f"got  {got!r}", f"want {want!r}", *shown)

    def skip(self, what, missing):
        self.n += 1
        print("ok", self.n, "-", what, "# SKIP", missing)

    def end(self):
        print(f"1..{self.n}")
        sys.exit(1 if self.failed else 0)
