#pragma once
/*
 * copy: files into the jail and out of it, by a child that executes nothing: what the image has for that, or
 * lacks, does not matter, and nobody can have exchanged it.
 */

/**
 * copy_run() - in a command's child, as the command's user, with its limits, directory and filters
 * @argc, @argv: its name, "out" and what is copied, to stdout; or its name, "in", where to, from stdin, and the
 *               name that it gets in a directory, "" for none. Stream of base/copy.h; words about a failure to stderr
 *
 * Not dumpable, so that commands of the same user cannot make it write what was never there.
 *
 * Returns: the exit code: 0 done, 1 failed, 2 wrong words.
 */
int copy_run(unsigned argc, char *const *argv);
