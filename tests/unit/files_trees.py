"""files_trees: trees as dictionaries, what an overlay's upper would hold between two of them, and real git."""
import os
import random
import shutil
import stat
import subprocess

GIT = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null", GIT_AUTHOR_NAME="t",
           GIT_AUTHOR_EMAIL="t@t", GIT_COMMITTER_NAME="t", GIT_COMMITTER_EMAIL="t@t", HOME="/nonexistent")


def put(root, tree):
    """path -> bytes, (bytes, mode), or ("->", target)"""
    for path, what in tree.items():
        at = os.path.join(os.fsencode(root), os.fsencode(path))
        os.makedirs(os.path.dirname(at), exist_ok=True)
        if isinstance(what, tuple) and what[0] == "->":
            os.symlink(os.fsencode(what[1]), at)
            continue
        data, mode = what if isinstance(what, tuple) else (what, 0o644)
        with open(at, "wb") as f:
            f.write(data)
        os.chmod(at, mode)


def scan(root):
    """What a patch can know of a tree: path -> (mode, content)."""
    found, top = {}, os.fsencode(root)
    for at, dirs, files in os.walk(top):
        for name in files + [d for d in dirs if os.path.islink(os.path.join(at, d))]:
            path = os.path.join(at, name)
            st = os.lstat(path)
            if stat.S_ISLNK(st.st_mode):
                value = (0o120000, os.readlink(path))
            elif stat.S_ISREG(st.st_mode):
                value = (0o100755 if st.st_mode & 0o100 else 0o100644, open(path, "rb").read())
            else:
                continue
            found[os.path.relpath(path, top)] = value
        if b".git" in dirs:
            dirs.remove(b".git")
    return found


def make_upper(old, new, upper):
    """The raw upper that lies between two real directories: changed names, and whiteouts where they can be made."""
    def level(a, b, u):
        a_names = set(os.listdir(a)) if os.path.isdir(a) and not os.path.islink(a) else set()
        for name in sorted(a_names | set(os.listdir(b))):
            x, y, z = os.path.join(a, name), os.path.join(b, name), os.path.join(u, name)
            if not os.path.lexists(y):
                try:
                    os.makedirs(u, exist_ok=True)
                    os.mknod(z, stat.S_IFCHR, 0)
                except PermissionError:
                    pass
            elif os.path.isdir(y) and not os.path.islink(y):
                if not (os.path.isdir(x) and not os.path.islink(x)):
                    os.makedirs(z, exist_ok=True)
                level(x, y, z)
            elif not same(x, y):
                os.makedirs(u, exist_ok=True)
                shutil.copy2(y, z, follow_symlinks=False)

    def same(x, y):
        if not os.path.lexists(x) or os.lstat(x).st_mode != os.lstat(y).st_mode:
            return False
        if os.path.islink(x):
            return os.readlink(x) == os.readlink(y)
        return not os.path.isdir(x) and open(x, "rb").read() == open(y, "rb").read()

    level(os.fsencode(old), os.fsencode(new), os.fsencode(upper))


def git_apply(base, patch, *words):
    """git apply in a copy of the base; None where git refuses."""
    if not patch:  # git wants --allow-empty for it
        return scan(base), ""
    work = base + ".git-apply"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(base, work, symlinks=True)
    done = subprocess.run(["git", "apply", *words], cwd=work, input=patch, env=GIT, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    found = scan(work) if done.returncode == 0 else None
    shutil.rmtree(work)
    return found, done.stderr.decode(errors="replace")


NAMES = ["a", "b.c", "dir", "x y", "tab\there", 'quo"te', "back\\slash", "größe", "日本", "-dash", "a.b", "a-b", "Makefile",
         b"\xff\xfe".decode(errors="surrogateescape"), "new", "UPPER"]


def random_text(rng):
    kind = rng.randrange(8)
    if kind == 0:
        return b""
    if kind == 1:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(1, 400)))
    if kind == 2:
        return b"no newline"
    end = b"\r\n" if kind == 3 else b"\n"
    lines = [rng.choice([b"alpha", b"beta", b"", b"  }", b"diff --git a/x b/x", b"@@ -1 +1 @@", b"-- ", b"\\ odd",
                         b"%d" % rng.randrange(50), b"\xe9\xff"]) for _ in range(rng.randrange(1, 60))]
    return end.join(lines) + (end if rng.randrange(4) else b"")


def edit(data, rng):
    lines = data.split(b"\n")
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(lines) + 1)
        if rng.randrange(2) and at < len(lines):
            del lines[at:at + rng.randrange(1, 4)]
        else:
            lines.insert(at, b"line %d" % rng.randrange(1000))
    return b"\n".join(lines)


def random_tree(rng):
    tree = {}
    for _ in range(rng.randrange(1, 14)):
        path = "/".join(rng.choice(NAMES) for _ in range(rng.randrange(1, 4)))
        if any(path == p or path.startswith(p + "/") or p.startswith(path + "/") for p in tree):
            continue
        tree[path] = random_value(rng)
    return tree


def random_value(rng):
    if rng.randrange(6) == 0:
        return ("->", rng.choice(["a", "../x", "/etc/passwd", "größe", "dir/b.c"]))
    return (random_text(rng), rng.choice([0o644, 0o644, 0o755]))


def change_tree(tree, rng):
    new = dict(tree)
    for path in list(new):
        what = rng.randrange(8)
        if what == 0:
            del new[path]
        elif what == 1:
            new[path] = random_value(rng)
        elif what == 2 and new[path][0] != "->":
            new[path] = (new[path][0], 0o755)
        elif what == 3:
            value = new.pop(path)
            new[path + "/under"] = value
        elif what == 4 and new[path][0] != "->":
            new[path] = (edit(new[path][0], rng), new[path][1])
    for path, value in random_tree(rng).items():
        for p in list(new):
            if path == p or path.startswith(p + "/") or p.startswith(path + "/"):
                del new[p]
        new[path] = value
    return new


def rng(seed):
    return random.Random(seed)
