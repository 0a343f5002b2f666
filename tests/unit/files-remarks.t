#!/usr/bin/env python3
"""remarks: what the deterministic checks say about a patch, and what they leave in peace."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from files_lib import Places, Tap  # noqa: E402
from files_trees import GIT, put  # noqa: E402

t = Tap()
CHECK = ["", "secret", "entropy", "set-id", "network", "lock-file", "scope", "link", "runs"]
BODY = "Q7wE9rT2yU4iO6pA8sD1fG3hJ5kL0zX9cV7b"  # 36 characters that are no key of anybody's


def remarks(base, new, *words):
    """[(check, path, line)] of the patch between two trees, and the records"""
    with Places() as p:
        os.makedirs(p.at("old/work"))
        put(p.at("old/work"), base)
        run = lambda *w: subprocess.run(["git", *w], cwd=p.at("out"), env=GIT, check=True, stdout=subprocess.PIPE).stdout
        run("init", "-q")
        put(p.at("out"), base)
        run("add", "-Af", ".")
        run("commit", "-qm", "x", "--allow-empty")
        for path in base:
            os.unlink(p.at("out", path))
        put(p.at("out"), new)
        run("add", "-Af", ".")
        patch = run("diff", "--cached", "--binary", "--full-index", "-M")
        r = p.run("apply", "--remark", "--check-only", *words, "work", stdin=patch)
        if not r.done:
            t.ok(False, "the patch is taken", r.records, patch)
        return [(CHECK[x.flags], os.fsdecode(x.path), x.b) for x in r.all("remark")], r


def line(path, text, want, what=None):
    """One added line, as the third of its file."""
    base = {path: b"one\ntwo\n", "other": b"x\n"}
    got, r = remarks(base, {path: b"one\ntwo\n" + text.encode() + b"\nfour\n", "other": b"x\n"})
    t.same(got, [(want, path, 3)] if want else [], what or f"{path}: {text[:60]}", r.records)
    if want == "secret":
        t.ok(BODY[:12].encode() not in r.raw, "the secret itself is not repeated")


# what is there
line("a.py", "key = 'AKIA" + "Q7WE9RT2YU4IO6PA'", "secret")
line("a.py", "token: ghp_" + BODY, "secret")
line("x.env", "GITHUB=github_pat_" + BODY, "secret")
line("a.yml", "  private: glpat-" + BODY[:20], "secret")
line("a.js", "const k = \"sk-ant-api03-" + BODY + "\"", "secret")
line("a.txt", "AIza" + BODY[:35], "secret")
line(".npmrc", "//registry/:_authToken=npm_" + BODY, "secret")
line("k.pem", "-----BEGIN " + "RSA PRIVATE KEY-----", "secret")
line("k.txt", "-----BEGIN OPENSSH " + "PRIVATE KEY-----", "secret")
line("a.py", "db_password = '" + BODY + "'", "entropy")
line("a.go", "apiKey := \"" + BODY[:24] + "\"", "entropy")
line("a.sh", "chmod u+s /usr/bin/x", "set-id")
line("a.sh", "chmod 4755 x", "set-id")
line("a.py", "os.chmod(path, 0o2755)", "set-id")
line("a.c", "fchmod(fd, S_ISUID | 0755);", "set-id")
line("Makefile", "\tinstall -m 04755 x $(DESTDIR)", "set-id")
line("a.sh", "setcap cap_net_raw+ep x", "set-id")
line("a.py", "import requests", "network")
line("a.c", "fd = socket(AF_INET, SOCK_STREAM, 0);", "network")
line("a.ts", "await fetch(url)", "network")
line("a.go", "\t\"net/http\"", "network")
line("a.rs", "use std::net::TcpStream;", "network")
line("A.java", "import java.net.URL;", "network")
line("a.rb", "Net::HTTP.get(uri)", "network")
line("run.sh", "curl -s https://example.org | sh", "network")
line("Dockerfile", "RUN wget -q x", "network")

# what is not: placeholders, words, hashes, numbers, comparisons
for path, text in (
        ("a.py", "key = 'AKIA" + "IOSFODNN7EXAMPLE'"), ("a.py", "token = 'ghp_" + "x" * 36 + "'"),
        ("a.py", "ghp_" + "short"), ("a.md", "use a key that begins with sk-ant-"), ("a.py", "task-" + BODY + BODY),
        ("a.py", "digest = '" + BODY + "'"), ("a.py", "password = input('your password, please: ')"),
        ("a.py", "token = 'this-is-the-name-of-a-token-of-yours'"), ("a.py", "secret = os.environ['MY_SECRET_NAME']"),
        ("a.pem", "-----BEGIN CERTIFICATE-----"), ("a.sh", "chmod 0755 x"), ("a.sh", "chmod +x x"), ("a.py", "port = 4755"),
        ("a.sh", "chmod 644 file4755"), ("a.md", "fetch(url) reaches for a network"), ("a.py", "fetch(url)"),
        ("a.go", "x := planet"), ("a.txt", "curl -s x")):
    line(path, text, None, f"left in peace: {path}: {text[:60]}")

got, r = remarks({"a.py": b"import requests\nx = 1\n"}, {"a.py": b"import requests\nimport requests as r\n"})
t.same(got, [], "a file that reaches for a network already", r.records)
got, _ = remarks({"a.py": b"key = 'ghp_" + BODY.encode() + b"'\nx\n"}, {"a.py": b"x\ny\n"})
t.same(got, [], "a secret that goes away")
got, _ = remarks({}, {"deep/new.py": b"import socket\n"})
t.same(got, [("network", "deep/new.py", 1)], "a new file")
got, _ = remarks({"a.py": b"1\n2\n3\n4\n5\n6\n7\n8\n9\n"}, {"b.py": b"1\n2\n3\n4\n5\n6\n7\nimport socket\n8\n9\n"})
t.same(got, [("network", "b.py", 8)], "a renamed file: the new name and the new file's line")
got, _ = remarks({}, {"a": b"\0" + b"ghp_" + BODY.encode()})
t.same(got, [], "a binary file is not looked into")

# a line that is as long as a file: what stands far behind its beginning, across the borders of what is looked at together
words = b"var a=b+c;if(d){e(f,g)};" * 10000


def deep(text, want, what):
    for before in (4090, 32760, 200001):
        got, r = remarks({}, {"long.js": words[:before] + b" " + text + b" " + words[:50000]})
        t.same(got, [(want, "long.js", 1)] if want else [], f"{before} bytes into a line: {what}", r.records)


deep(b"ghp_" + BODY.encode(), "secret", "a token")
deep(b"'-----BEGIN " + b"PRIVATE KEY-----'", "secret", "a private key")
deep(b"password='" + BODY.encode() + b"'", "entropy", "a string by its name")
deep(b"exec('chmod u+s /x')", "set-id", "set-id bits")
deep(b"exec('chmod', 0o4755)", "set-id", "a mode")
deep(b"fetch(url)", "network", "a network")
deep(b"task-ghp" + BODY.encode(), None, "what only looks like a part of one")
got, _ = remarks({}, {"long.js": b"chmod(a,b);" + words + b"x=u+s;y=a+s;z=4755;"})
t.same(got, [], "words that have nothing to do with each other")
got, _ = remarks({}, {"long.js": b"-----BEGIN CERTIFICATE-----" + words + b"PRIVATE KEY"})
t.same(got, [], "… nor have these")
got, _ = remarks({}, {"long.js": b"'" + b"ghp_" + BODY.encode() * 3000 + b"'"})
t.same(got, [("secret", "long.js", 1)], "a token that goes on and on")
got, _ = remarks({}, {"long.txt": b"SG." * 300000 + b" " + b"xoxb-" * 100000})
t.same(got, [], "beginnings of tokens without an end")
got, _ = remarks({}, {"a.py": b"passw = '" + BODY.encode() + b"'; secret = 1\n"})
t.same(got, [("entropy", "a.py", 1)], "the first of two names counts")

# what runs by itself, and links
got, _ = remarks({"l": b"x\n", "Makefile": b"all:\n"}, {".envrc": b"x\n", "sub/.vscode/tasks.json": b"{}\n", "l": b"x\n", "Makefile": b"b:\n",
                                                        ".github/workflows/a.yml": b"x\n", "src/envrc": b"x\n"})
t.same(sorted(got), [("runs", ".envrc", 0), ("runs", ".github/workflows/a.yml", 0), ("runs", "sub/.vscode/tasks.json", 0)],
       "files that run when somebody enters a directory, opens it, or pushes")
got, _ = remarks({".envrc": b"x\n", "a": b"y\n"}, {"a": b"y\n"})
t.same(got, [], "one that goes away")
for name, old, new in (("made", {}, {"l": ("->", "a")}), ("turned", {"l": ("->", "b")}, {"l": ("->", "a")}),
                       ("in a file's place", {"l": b"x\n"}, {"l": ("->", "a")})):
    got, r = remarks(dict({"a": b"x\n"}, **old), dict({"a": b"x\n"}, **new))
    t.same(got, [("link", "l", 0)], f"a link that is {name}", r.records)
got, _ = remarks({"a": b"x\n", "l": ("->", "a")}, {"a": b"x\n", "l": b"x\n"})
t.same(got, [], "a file in a link's place")

# lock files
lock = {"package-lock.json": b"1\n", "package.json": b"{}\n", "sub/Cargo.lock": b"1\n", "Cargo.toml": b"1\n"}
got, _ = remarks(lock, dict(lock, **{"package-lock.json": b"2\n"}))
t.same(got, [("lock-file", "package-lock.json", 0)], "a lock file without its manifest")
got, _ = remarks(lock, dict(lock, **{"package-lock.json": b"2\n", "package.json": b"{ }\n"}))
t.same(got, [], "… with it")
got, _ = remarks(lock, dict(lock, **{"sub/Cargo.lock": b"2\n", "Cargo.toml": b"2\n"}))
t.same(got, [], "… with the manifest of the workspace above")
got, _ = remarks(lock, dict(lock, **{"sub/Cargo.lock": b"2\n", "NotCargo.toml": b"2\n"}))
t.same(got, [("lock-file", "sub/Cargo.lock", 0)], "… a file whose name only ends like it")

# scope
tree = {"src/a": b"1\n", "doc/b": b"1\n", "c": b"1\n"}
scope = ["--scope", "src/**", "--scope", "*.md"]
got, _ = remarks(tree, {"src/a": b"2\n", "doc/b": b"1\n", "c": b"1\n", "x.md": b"1\n"}, *scope)
t.same(got, [], "all within the scope")
got, _ = remarks(tree, {"src/a": b"2\n", "doc/b": b"2\n", "src/c": b"1\n"}, *scope)
t.same(sorted(got), [("scope", "c", 0), ("scope", "doc/b", 0)], "a changed file outside, and one that is moved away from there")
got, _ = remarks(tree, {"src/a": b"2\n", "doc/b": b"2\n", "c": b"1\n"})
t.same(got, [], "no scope is any")

# bounds
many = b"".join(b"setcap x%d y\n" % i for i in range(450))
got, r = remarks({}, {"a.sh": many})
t.ok(len(got) == 201 and got[-1] == ("set-id", "", 0) and b"250 more" in r.all("remark")[-1].data,
     "of many the first 200 are told, and how many more there are", got[-2:], r.all("remark")[-1:])
with Places() as p:
    os.makedirs(p.at("old/work"))
    r = p.run("apply", "--check-only", "work",
              stdin=b"diff --git a/a.sh b/a.sh\nnew file mode 100644\n--- /dev/null\n+++ b/a.sh\n@@ -0,0 +1 @@\n+setcap x y\n")
    t.ok(r.done and not r.all("remark"), "without --remark nothing is said", r.records)
t.end()
