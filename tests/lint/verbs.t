#!/usr/bin/env -S python3 -B
"""verbs: what "warder help" lists, what the man pages describe and which methods the front answers agree.

A verb is described where man/warder.1.scd (or man/warder-VERB.1.scd) has it in bold, as *run* or
*warder run*; an option where its long form stands in the same pages. A method of the tables in
supervisor/front is described where man/warder-rpc.7.scd, which the build makes, or man/warder-agent.7.scd names it in bold.
"""
import os
import re
import subprocess
import sys

from tree import files, lint_main, product, read

COMMAND = "cli/warder"
RPC_PAGE = "man/warder-rpc.7.scd"
METHOD = re.compile(r'\{\s*(?:\.name\s*=\s*)?"((?:warder|rpc|snapshot|jail|policy|verify|task|patch|pool)\.[a-z]+)"')


def help_of(build, *words):
    command = [os.path.join(build, COMMAND), "help", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL).stdout


def verbs_of(text):
    return re.findall(r"^  ([a-z][a-z-]*(?: [a-z]+)?)  +\S", text, re.M)


def options_of(text):
    options = text.split("Options:", 1)[-1].split("Exit codes:", 1)[0]
    return re.findall(r"^\s+(?:-\w, )?(--[a-z][a-z-]*)", options, re.M)


def pages(root):
    text = ""
    for path in files(root, ".1.scd"):
        if os.path.basename(path).startswith("warder"):
            text += read(root, path)
    return text.replace("\\-", "-").replace("\\_", "_")


def is_described(verb, text):
    return re.search(r"\*(?:warder )?" + re.escape(verb) + r"(?:\*|\s)", text) is not None


def verb_faults(root, build):
    text = pages(root)
    if not text:
        return 0, ["man/: no page of the command"]
    verbs = verbs_of(help_of(build))
    found = [f"{verb}: in 'warder help', in no man page" for verb in verbs if not is_described(verb, text)]
    for verb in verbs:
        for option in options_of(help_of(build, *verb.split())):
            if not re.search(re.escape(option) + r"(?![a-z-])", text):
                found.append(f"{verb}: {option} is in no man page")
    first_words = {verb.split()[0] for verb in verbs}
    for word in re.findall(r"\*warder ([a-z][a-z-]*)\b", text):
        if word not in first_words:
            found.append(f"warder {word}: in a man page, not in 'warder help'")
    return len(verbs), found


def method_faults(root, build):
    methods = set()
    for path in product(root, ".c"):
        if path.startswith("supervisor/front/"):
            methods |= set(METHOD.findall(read(root, path)))
    text = "".join(read(root, p) for p in files(root, ".7.scd"))
    if not os.path.exists(os.path.join(build, RPC_PAGE)):
        return [f"{RPC_PAGE}: is not built"]
    text += read(build, RPC_PAGE)
    return [f"{m}: a method of the front, in no man page" for m in sorted(methods)
            if not re.search(r"\*" + re.escape(m) + r"\b", text.replace("\\_", "_"))]


def faults(root, build):
    if not os.path.exists(os.path.join(build, COMMAND)):
        return 0, []
    looked, found = verb_faults(root, build)
    return looked, found + method_faults(root, build)


def script(verbs):
    """A command for the plants: prints a table of verbs, and one option for each."""
    return "#!/bin/sh\n[ $# -gt 1 ] && { printf 'Options:\\n  -j, --json  x\\n'; exit; }\ncat <<E\n" + \
        "".join(f"  {verb}      {verb} it\n" for verb in verbs) + "E\n"


PAGE = "# SYNOPSIS\n*warder* VERB\n*run*\n\truns\n*snapshot import*\n\timports, *--json*\n"
PLANTS = [
    ("a verb without a page", {COMMAND: script(["run", "zap"]), "man/warder.1.scd": PAGE}, "zap: in 'warder help'"),
    ("a verb of two parts without a page", {COMMAND: script(["run", "zip-zap"]), "man/warder.1.scd": PAGE + "*zip*\n"}, "zip-zap: in"),
    ("a page without a verb", {COMMAND: script(["run"]), "man/warder.1.scd": PAGE + "*warder zap*\n"}, "warder zap: in a man page"),
    ("an option without a word", {COMMAND: script(["run"]), "man/warder.1.scd": "*run*\n"}, "--json is in no man page"),
    ("a page that is not built", {COMMAND: script(["run"]), "man/warder.1.scd": PAGE}, "warder-rpc.7.scd: is not built"),
    ("no page at all", {COMMAND: script(["run"])}, "no page of the command"),
    ("a method without a page", {COMMAND: script(["run"]), "man/warder.1.scd": PAGE, RPC_PAGE: "*jail.create*\n",
                                 "supervisor/front/m.c": '        { "jail.zap", x },\n'}, "jail.zap: a method"),
]
CLEAN = {COMMAND: script(["run", "snapshot import"]), "man/warder.1.scd": PAGE, "man/warder-rpc.7.scd": "*jail.create*\n",
         "supervisor/front/m.c": '        { "jail.create", x },\n'}

if __name__ == "__main__":
    sys.exit(lint_main("verbs, options and methods are described", faults, PLANTS, CLEAN))
