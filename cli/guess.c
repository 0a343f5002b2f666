/*
 * guess: see guess.h. Each row of the table whose file is there, and holds its text, is a guess, and the first one
 * whose tests run is taken: a project may come with files of a builder that this machine lacks. A guess says nothing of what is protected, so that the gate's own list holds, which has the files that say how tests are run:
 * a guess that named tests alone would let a patch write "true" into the recipe that runs them.
 */
#include "cli/guess.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "cli/spec.h"

#define COMMANDS_MAX 3
#define FORMS_MAX    4

typedef struct Guess {
        const char *file;  /* of the commit */
        const char *holds; /* a text in it; NULL: whatever it says */
        const char *kind;
        const char *commands[COMMANDS_MAX]; /* shell lines; the last one tests */
        const char *forms[FORMS_MAX];       /* how the last one's results may be read */
        const char *report;
        const char *include; /* ignored files without which nothing runs */
} Guess;

static const Guess rows[] = {
        { .file = "go.mod",
          .kind = "go test",
          .commands = { "go test -v ./..." },
          .forms = { "go" } },
        { .file = "Cargo.toml",
          .kind = "cargo test",
          .commands = { "cargo test --offline --no-fail-fast" },
          .forms = { "cargo" } },
        { .file = "CMakeLists.txt",
          .holds = "add_test",
          .kind = "ctest",
          .commands = { "cmake -S . -B build", "cmake --build build -j 4",
                        "ctest --test-dir build -j 4" },
          .forms = { "ctest" } },
        { .file = "CMakeLists.txt",
          .holds = "enable_testing",
          .kind = "ctest",
          .commands = { "cmake -S . -B build", "cmake --build build -j 4",
                        "ctest --test-dir build -j 4" },
          .forms = { "ctest" } },
        { .file = "meson.build",
          .kind = "meson test",
          .commands = { "meson setup build", "meson test -C build" },
          .forms = { "junit" },
          .report = "build/meson-logs/testlog.junit.xml" },
        { .file = "package.json",
          .holds = "\"vitest",
          .kind = "vitest",
          .commands = { "npx vitest run --reporter=junit" },
          .forms = { "junit" },
          .include = "node_modules/**" },
        { .file = "package.json",
          .holds = "\"jest",
          .kind = "jest",
          .commands = { "npx jest --verbose" },
          .forms = { "jest" },
          .include = "node_modules/**" },
        { .file = "package.json",
          .holds = "\"mocha",
          .kind = "mocha",
          .commands = { "npm test --silent" },
          .forms = { "mocha", "tap", "exit" },
          .include = "node_modules/**" },
        { .file = "package.json",
          .holds = "\"test\"",
          .kind = "npm test",
          .commands = { "npm test --silent" },
          .forms = { "node", "tap", "counts", "exit" },
          .include = "node_modules/**" },
        { .file = "pytest.ini",
          .kind = "pytest",
          .commands = { "python3 -m pytest -v -p no:cacheprovider" },
          .forms = { "pytest" } },
        { .file = "pyproject.toml",
          .holds = "pytest",
          .kind = "pytest",
          .commands = { "python3 -m pytest -v -p no:cacheprovider" },
          .forms = { "pytest" } },
        { .file = "setup.cfg",
          .holds = "pytest",
          .kind = "pytest",
          .commands = { "python3 -m pytest -v -p no:cacheprovider" },
          .forms = { "pytest" } },
        { .file = "tox.ini",
          .holds = "pytest",
          .kind = "pytest",
          .commands = { "python3 -m pytest -v -p no:cacheprovider" },
          .forms = { "pytest" } },
        { .file = "configure.ac",
          .kind = "automake",
          .commands = { "{ [ -x configure ] || autoreconf -i; } && ./configure", "make -j 4",
                        "make check" },
          .forms = { "tap", "counts", "exit" } },
        { .file = "Makefile",
          .holds = "\ncheck:",
          .kind = "make check",
          .commands = { "make check" },
          .forms = { "tap", "counts", "exit" } },
        { .file = "Makefile",
          .holds = "\ntest:",
          .kind = "make test",
          .commands = { "make test" },
          .forms = { "tap", "counts", "exit" } },
        { .file = "pyproject.toml",
          .kind = "unittest",
          .commands = { "python3 -m unittest -v" },
          .forms = { "unittest" } },
        { .file = "setup.py",
          .kind = "unittest",
          .commands = { "python3 -m unittest -v" },
          .forms = { "unittest" } },
        { .file = "tests/__init__.py",
          .kind = "unittest",
          .commands = { "python3 -m unittest -v" },
          .forms = { "unittest" } },
        { .file = "test/__init__.py",
          .kind = "unittest",
          .commands = { "python3 -m unittest -v" },
          .forms = { "unittest" } },
};

static void add_command(cJSON *commands, const Guess *guess, unsigned i, const char *form) {
        cJSON *command = json_push_consume(commands, cJSON_CreateObject()), *words;
        bool last = i + 1 == COMMANDS_MAX || !guess->commands[i + 1];

        json_add_text(command, "id", last ? "test" : i == 0 ? "build" : "make");
        words = json_add_array(command, "run");
        json_push_text(words, "/bin/sh");
        json_push_text(words, "-c");
        json_push_text(words, guess->commands[i]);
        if (!last)
                return;
        json_add_text(command, "parse", form);
        if (guess->report && strcmp(form, "exit") != 0)
                json_push_text(json_add_array(command, "report"), guess->report);
}

/* A working tree that was never installed has none of them; its own dependencies may be of the host */
static bool has_include(const Guess *guess, const Repository *repo) {
        char path[PATH_MAX];
        int n;

        if (!guess->include)
                return false;
        n = snprintf(path, sizeof(path), "%s/%.*s", repo->top, (int) strcspn(guess->include, "/"),
                     guess->include);
        return n < (int) sizeof(path) && access(path, F_OK) == 0;
}

static cJSON *make_spec(const Guess *guess, const Repository *repo, const char *form) {
        cJSON *spec = cJSON_CreateObject(), *list;

        json_add_text(spec, "warder", "verify/1");
        if (has_include(guess, repo))
                json_push_text(json_add_array(spec, "include"), guess->include);
        list = json_add_array(spec, "commands");
        for (unsigned i = 0; i < COMMANDS_MAX && guess->commands[i]; i++)
                add_command(list, guess, i, form);
        return spec;
}

/* A text that begins with a newline stands at the start of a line */
static bool holds(const char *text, const char *what) {
        size_t n = strlen(what);

        return strstr(text, what) || (*what == '\n' && strncmp(text, what + 1, n - 1) == 0);
}

static int fits(const Guess *guess, const Repository *repo, Error *err) {
        autofree char *text = NULL;
        int r = workspace_read(repo, guess->file, true, &text, err);

        if (r < 0)
                return r;
        return text && (!guess->holds || holds(text, guess->holds)) ? 1 : 0;
}

/* A kind that stands in several rows, as ctest, is one guess */
static bool has_kind(const cJSON *guesses, const char *kind) {
        const cJSON *one;

        cJSON_ArrayForEach(one, guesses) if (strcmp(json_text(one, "kind"), kind) == 0) return true;
        return false;
}

static int add_guess(cJSON *guesses, const Guess *guess, const Repository *repo, Error *err) {
        for (unsigned i = 0; i < FORMS_MAX && guess->forms[i]; i++) {
                cJSON *one = json_push_consume(guesses, cJSON_CreateObject());

                json_add_text(one, "kind", guess->kind);
                if (!json_add_consume(one, "spec", make_spec(guess, repo, guess->forms[i])))
                        return error_set(err, -ENOMEM, "guess a verify spec");
        }
        return 0;
}

int guess_specs(const Repository *repo, cJSON **ret_guesses, Error *err) {
        SCOPED(json_free) cJSON *guesses = cJSON_CreateArray();

        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                int r = has_kind(guesses, rows[i].kind) ? 0 : fits(&rows[i], repo, err);

                if (r > 0)
                        r = add_guess(guesses, &rows[i], repo, err);
                if (r < 0)
                        return r;
        }
        if (cJSON_GetArraySize(guesses) == 0)
                return error_say(
                        err, -ENOENT,
                        "Nothing in commit %.12s says how its tests are run. Write " SPEC_PATH
                        ", see warder-verify(5).",
                        repo->commit);
        *ret_guesses = TAKE_PTR(guesses);
        return 0;
}
