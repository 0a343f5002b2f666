/*
 * spec-env: see spec-env.h.
 *
 * Sources: ld.so(8), bash(1), python(1), perlrun(1), ruby(1), node(1), make's manual ("Variables from the
 * Environment"), go(1) ("help environment"), the documents of cargo, npm, pytest and the JVM.
 */
#include "supervisor/front/gate/spec-env.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/owned.h"

typedef enum Rule {
        RULE_NEVER,   /* it is there to run or load more than was asked for */
        RULE_ROOT,    /* only in the directories of the snapshot's own programs */
        RULE_OUTSIDE, /* settings are read there: anywhere but in the workspace */
} Rule;

static const struct {
        const char *name; /* with * the start of one, in any case */
        Rule rule;
} rows[] = {
        /* libraries and programs that are searched for, first: LD_* below refuses the rest */
        { "LD_LIBRARY_PATH", RULE_ROOT },
        { "PATH", RULE_ROOT },
        { "PYTHONPATH", RULE_ROOT },
        { "PYTHONHOME", RULE_ROOT },
        { "PYTHONUSERBASE", RULE_ROOT },
        { "PYTHONPYCACHEPREFIX", RULE_ROOT },
        { "NODE_PATH", RULE_ROOT },
        { "PERL5LIB", RULE_ROOT },
        { "PERLLIB", RULE_ROOT },
        { "RUBYLIB", RULE_ROOT },
        { "CLASSPATH", RULE_ROOT },
        { "TCLLIBPATH", RULE_ROOT },
        { "GCONV_PATH", RULE_ROOT },
        { "OPENSSL_CONF", RULE_ROOT },
        { "OPENSSL_MODULES", RULE_ROOT },
        { "OPENSSL_ENGINES", RULE_ROOT },
        { "COMPILER_PATH", RULE_ROOT },
        { "GCC_EXEC_PREFIX", RULE_ROOT },
        { "MAKEFILES", RULE_ROOT },
        { "SHELL", RULE_ROOT },
        /* the loader */
        { "LD_*", RULE_NEVER },
        /* shells: a file or a function that each of them runs at its start */
        { "BASH_*", RULE_NEVER },
        { "ENV", RULE_NEVER },
        { "SHELLOPTS", RULE_NEVER },
        { "BASHOPTS", RULE_NEVER },
        { "PROMPT_COMMAND", RULE_NEVER },
        { "PS4", RULE_NEVER },
        /* options that an interpreter adds to its own */
        { "PYTHONSTARTUP", RULE_NEVER },
        { "PYTHONBREAKPOINT", RULE_NEVER },
        { "PYTEST_ADDOPTS", RULE_NEVER },
        { "PYTEST_PLUGINS", RULE_NEVER },
        { "NODE_OPTIONS", RULE_NEVER },
        { "NPM_CONFIG_*", RULE_NEVER },
        { "PERL5OPT", RULE_NEVER },
        { "PERL5DB", RULE_NEVER },
        { "RUBYOPT", RULE_NEVER },
        { "JAVA_TOOL_OPTIONS", RULE_NEVER },
        { "_JAVA_OPTIONS", RULE_NEVER },
        { "JDK_JAVA_OPTIONS", RULE_NEVER },
        { "LUA_INIT*", RULE_NEVER },
        /* options of build tools, and programs that they start in place of their own */
        { "MAKEFLAGS", RULE_NEVER },
        { "GNUMAKEFLAGS", RULE_NEVER },
        { "GOFLAGS", RULE_NEVER },
        { "RUSTC", RULE_NEVER },
        { "RUSTC_WRAPPER", RULE_NEVER },
        { "RUSTC_WORKSPACE_WRAPPER", RULE_NEVER },
        /* where settings are read */
        { "HOME", RULE_OUTSIDE },
        { "XDG_CONFIG_*", RULE_OUTSIDE },
        { "CARGO_HOME", RULE_OUTSIDE },
        { "GIT_CONFIG*", RULE_OUTSIDE },
        { "GNUPGHOME", RULE_OUTSIDE },
};

/* What neither a patch nor a command of a verify can write to */
static const char *const roots[] = { "/usr", "/opt", "/bin", "/sbin", "/lib", "/lib64", "/nix" };

static bool is_below(const char *path, size_t n, const char *dir) {
        size_t length = strlen(dir);

        return n >= length && memcmp(path, dir, length) == 0 &&
               (n == length || path[length] == '/');
}

static bool leaves(const char *path, size_t n) {
        for (size_t at = 0; at < n; at++) {
                size_t part = strcspn(path + at, "/");

                if (at + part > n)
                        part = n - at;
                if (part == 2 && path[at] == '.' && path[at + 1] == '.')
                        return true;
                at += part;
        }
        return false;
}

bool spec_env_leaves(const char *path) {
        return leaves(path, strlen(path));
}

static bool is_in_root(const char *path, size_t n) {
        for (size_t i = 0; i < ELEMENTS(roots); i++)
                if (is_below(path, n, roots[i]))
                        return !leaves(path, n);
        return false;
}

static bool is_outside(const char *path, size_t n) {
        return n > 0 && path[0] == '/' && !is_below(path, n, "/work") &&
               !is_below(path, n, "/proc") && !leaves(path, n) && !memmem(path, n, "//", 2);
}

/* Each entry of a list with colons; an empty one is the present directory */
static bool all_are(const char *value, bool (*good)(const char *path, size_t n)) {
        for (;;) {
                size_t n = strcspn(value, ":");

                if (!good(value, n))
                        return false;
                if (!value[n])
                        return true;
                value += n + 1;
        }
}

static bool is_row(const char *row, const char *name) {
        size_t n = strlen(row);

        return row[n - 1] == '*' ? strncasecmp(row, name, n - 1) == 0 : strcmp(row, name) == 0;
}

static bool is_name(const char *name) {
        if (!*name || isdigit((unsigned char) *name))
                return false;
        for (; *name; name++)
                if (!isalnum((unsigned char) *name) && *name != '_')
                        return false;
        return true;
}

const char *spec_env_refusal(const char *name, const char *value) {
        size_t i = 0;

        if (!is_name(name))
                return "the name of a variable holds letters, digits and _ alone";
        while (i < ELEMENTS(rows) && !is_row(rows[i].name, name))
                i++;
        if (!value || i == ELEMENTS(rows))
                return NULL;
        switch (rows[i].rule) {
        case RULE_NEVER:
                return "this variable makes every program run or load more than was asked for: "
                       "say it in the command's own words, for one program";
        case RULE_ROOT:
                return all_are(value, is_in_root)
                               ? NULL
                               : "programs, libraries and modules are searched there, and a change "
                                 "could put its own in: only places below /usr, /opt, /bin, /sbin "
                                 "and /lib are allowed here; set it in the command's own words, "
                                 "for one program";
        case RULE_OUTSIDE:
        default:
                return all_are(value, is_outside)
                               ? NULL
                               : "settings are read there, and a change could put its own in: "
                                 "a place outside /work is expected";
        }
}
