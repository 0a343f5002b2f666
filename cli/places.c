/*
 * places: a build tree is known by the programs in it: DIR/cli/warder runs, DIR/supervisor/monitor/warderd
 * is there. Roles and policies are in the source tree, which is DIR itself, the directory above it, or where DIR's
 * Makefile says.
 */
#include "cli/places.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"

static const struct {
        const char *variable; /* sudo passes none of them on by default */
        const char *option;
        const char *source; /* in the source tree; NULL: not there */
} rows[PLACES_MAX] = {
        { "WARDER_LIBEXEC", "--libexec-dir", NULL },
        { "WARDER_DATA", "--data-dir", "agent" },
        { "WARDER_POLICIES", "--policies-dir", "policies" },
        { "WARDER_CONFIG", "--config-dir", NULL },
        { "WARDER_STATE", "--state-dir", NULL },
};

static bool is_there(const char *dir, const char *name) {
        char path[PLACE_MAX];

        return snprintf(path, sizeof(path), "%s/%s", dir, name) < (int) sizeof(path) &&
               access(path, F_OK) == 0;
}

/* The build tree that this program lies in; false where it is installed */
static bool find_build(char *dir) {
        char path[PLACE_MAX];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

        if (n <= 0)
                return false;
        path[n] = 0;
        snprintf(dir, PLACE_MAX, "%s", dirname(dirname(path)));
        return is_there(dir, "cli/warder") && is_there(dir, "supervisor/monitor/warderd");
}

static void use(Places *places, size_t i, const char *value) {
        places->options[i] = rows[i].option;
        snprintf(places->values[i], PLACE_MAX, "%s", value);
}

/* What the Makefile of a build tree says of where its source tree lies; "" where it says nothing */
static void read_makefile(const char *build, char *source) {
        static const char begin[] = "abs_top_srcdir = ";
        char path[PLACE_MAX + 16], line[PLACE_MAX + sizeof(begin)];
        FILE *file;

        (void) snprintf(path, sizeof(path), "%s/Makefile", build);
        file = fopen(path, "re");
        *source = '\0';
        while (file && !*source && fgets(line, sizeof(line), file))
                if (strncmp(line, begin, strlen(begin)) == 0)
                        (void) snprintf(source, PLACE_MAX, "%.*s",
                                        (int) strcspn(line + strlen(begin), "\n"),
                                        line + strlen(begin));
        if (file)
                (void) fclose(file);
}

/* The source tree is the build tree, or the directory above it, or what its Makefile says */
static void find_source(const char *build, char *source) {
        static const char proof[] = "agent/roles/architect.json";

        (void) snprintf(source, PLACE_MAX, "%s", build);
        if (is_there(source, proof))
                return;
        (void) snprintf(source, PLACE_MAX, "%.500s/..", build);
        if (!is_there(source, proof))
                read_makefile(build, source);
}

static void use_build(Places *places, const char *build) {
        char source[PLACE_MAX];

        use(places, 0, build);
        find_source(build, source);
        for (size_t i = 1; i < PLACES_MAX; i++) {
                char path[PLACE_MAX];

                if (!rows[i].source || snprintf(path, sizeof(path), "%s/%s", source,
                                                rows[i].source) >= (int) sizeof(path))
                        continue;
                if (access(path, F_OK) == 0)
                        use(places, i, path);
        }
}

/* In the named directory, or where a build tree has it, or installed */
static void find_warderd(Places *places) {
        static const char *const names[] = { "warderd", "supervisor/monitor/warderd" };

        for (size_t i = 0; places->options[0] && i < ELEMENTS(names); i++) {
                if (!is_there(places->values[0], names[i]))
                        continue;
                snprintf(places->warderd, PLACE_MAX, "%.400s/%s", places->values[0], names[i]);
                return;
        }
        snprintf(places->warderd, PLACE_MAX, "%s/warderd", SBINDIR);
}

void places_find(Places *ret) {
        char build[PLACE_MAX];

        *ret = (Places){ 0 };
        if (find_build(build))
                use_build(ret, build);
        for (size_t i = 0; i < PLACES_MAX; i++) {
                const char *value = getenv(rows[i].variable);

                if (value && *value)
                        use(ret, i, value);
        }
        find_warderd(ret);
}

const char *places_state(const char *instance, char *path, size_t n) {
        const char *named = getenv("WARDER_STATE");

        if (named && *named)
                snprintf(path, n, "%s", named);
        else
                snprintf(path, n, "%s/%s", STATEDIR, instance);
        return path;
}
