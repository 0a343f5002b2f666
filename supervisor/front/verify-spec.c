/*
 * verify-spec: see verify-spec.h. The schema checks the shape; here is what a schema cannot say: times,
 * names that may stand only once, and what this version does not do yet.
 */
#include "supervisor/front/verify-spec.h"

#include <stdio.h>
#include <string.h>

#include "base/schema.h"
#include "base/units.h"
#include "supervisor/front/canonical.h"
#include "supervisor/front/verify-schema.h"

/*
 * What is protected where the spec names nothing: files that are tests by the conventions of most languages,
 * and files that say which tests there are and how they run. A change that must touch one of the latter (a
 * source file more in a Makefile, say) needs a spec that allows it.
 */
static const char *const protect_default[] = {
        "test*/**",
        "spec/**",
        "**/test/**",
        "**/tests/**",
        "**/testdata/**",
        "**/__tests__/**",
        "**/__snapshots__/**",
        "**/test_*.py",
        "**/*_test.*",
        "**/*.test.*",
        "**/*.spec.*",
        "**/*_spec.rb",
        "**/*Test.java",
        "**/*Tests.java",
        "**/*IT.java",
        "**/*Test.kt",
        "**/*Tests.cs",
        "**/*Test.php",
        /* make, automake, autoconf */
        "**/Makefile",
        "**/makefile",
        "**/GNUmakefile",
        "**/Makefile.am",
        "**/Makefile.in",
        "**/*.mk",
        "configure",
        "configure.ac",
        "**/CMakeLists.txt",
        "**/*.cmake",
        "**/meson.build",
        "**/BUILD.bazel",
        "**/conftest.py",
        "**/pytest.ini",
        "**/pyproject.toml",
        "**/setup.cfg",
        "**/tox.ini",
        "noxfile.py",
        "manage.py",
        "**/package.json",
        "**/.npmrc",
        "**/.mocharc.*",
        "**/jest.config.*",
        "**/vitest.config.*",
        "**/vitest.workspace.*",
        "**/karma.conf.*",
        "**/playwright.config.*",
        "**/babel.config.*",
        "**/.babelrc*",
        "**/Cargo.toml",
        "**/build.rs",
        "**/.cargo/**",
        "**/go.mod",
        "**/go.work",
        "**/pom.xml",
        "**/build.gradle*",
        "**/phpunit.xml*",
        "**/Rakefile",
        "**/.rspec",
        "**/.warder/**",
};

_Static_assert(ELEMENTS(protect_default) <= VERIFY_GLOBS_MAX, "a spec holds no more globs");

static const char *const parse_names[_VERIFY_PARSE_MAX] = {
        [PARSE_EXIT] = "exit",     [PARSE_TAP] = "tap",
        [PARSE_COUNTS] = "counts", [PARSE_JUNIT] = "junit",
        [PARSE_GO] = "go",         [PARSE_NODE] = "node",
        [PARSE_PYTEST] = "pytest", [PARSE_UNITTEST] = "unittest",
        [PARSE_CTEST] = "ctest",   [PARSE_CARGO] = "cargo",
        [PARSE_JEST] = "jest",     [PARSE_MOCHA] = "mocha",
};

const char *verify_parse_name(VerifyParse parse) {
        return parse_names[parse];
}

static VerifyParse parse_of(const char *name) {
        for (unsigned i = 0; name && i < _VERIFY_PARSE_MAX; i++)
                if (strcmp(name, parse_names[i]) == 0)
                        return (VerifyParse) i;
        return PARSE_EXIT;
}

static int check_shape(const cJSON *json, Error *err) {
        SCOPED(json_free) cJSON *schema = NULL;
        SchemaFault fault = { 0 };
        int r;

        r = json_parse(VERIFY_SCHEMA_JSON, strlen(VERIFY_SCHEMA_JSON), 0, &schema, err);
        if (r < 0)
                return r;
        r = schema_check(schema, json, &fault);
        if (r < 0)
                return error_say(err, r, "verify spec, %s: %s", fault.path[0] ? fault.path : "/",
                                 fault.text);
        return 0;
}

/* Strings of an array; the schema has bounded how many there are */
static unsigned read_strings(const cJSON *array, const char **items, unsigned max) {
        const cJSON *item;
        unsigned n = 0;

        cJSON_ArrayForEach(item, array) {
                if (n < max && cJSON_IsString(item))
                        items[n++] = item->valuestring;
        }
        return n;
}

static int read_command(const cJSON *json, const char *place, unsigned i, VerifyCommand *command,
                        Error *err) {
        const char *id = json_text(json, "id"), *wall = json_text(json, "wall");
        unsigned n = read_strings(json_get(json, "run"), command->argv, VERIFY_ARGS_MAX);

        command->argv[n] = NULL;
        if (n == 0 || !command->argv[0][0])
                return error_say(err, -EINVAL,
                                 "verify spec, /%s/%u/run: the name of the program is empty", place,
                                 i);
        if (id)
                (void) snprintf(command->id, sizeof(command->id), "%s", id);
        else
                (void) snprintf(command->id, sizeof(command->id), "%s-%u", place, i + 1);
        command->parse = parse_of(json_text(json, "parse"));
        command->n_reports =
                read_strings(json_get(json, "report"), command->reports, VERIFY_REPORTS_MAX);
        if (command->n_reports > 0 && command->parse == PARSE_EXIT)
                return error_say(
                        err, -EINVAL,
                        "verify spec, /%s/%u/report: nothing reads it; say in which form it "
                        "is: \"parse\": \"junit\", for example",
                        place, i);
        command->wall_usec = strcmp(place, "setup") == 0 ? VERIFY_SETUP_USEC : VERIFY_WALL_USEC;
        if (wall && units_parse_duration(wall, &command->wall_usec, err) < 0)
                return error_add(err, -EINVAL, "verify spec, /%s/%u/wall", place, i);
        if (wall && command->wall_usec == 0)
                return error_say(err, -EINVAL,
                                 "verify spec, /%s/%u/wall: no time at all; write \"5m\", say",
                                 place, i);
        return 0;
}

static int read_commands(VerifySpec *spec, Error *err) {
        const cJSON *item;
        int r;

        cJSON_ArrayForEach(item, json_get(spec->json, "setup")) {
                r = read_command(item, "setup", spec->n_setup, &spec->setup[spec->n_setup], err);
                if (r < 0)
                        return r;
                spec->n_setup++;
        }
        cJSON_ArrayForEach(item, json_get(spec->json, "commands")) {
                VerifyCommand *command = &spec->commands[spec->n_commands];

                r = read_command(item, "commands", spec->n_commands, command, err);
                if (r < 0)
                        return r;
                for (unsigned i = 0; i < spec->n_commands; i++)
                        if (strcmp(spec->commands[i].id, command->id) == 0)
                                return error_say(err, -EINVAL,
                                                 "verify spec, /commands/%u/id: \"%s\" stands "
                                                 "twice; each command needs a name of its own",
                                                 spec->n_commands, command->id);
                spec->n_commands++;
        }
        return 0;
}

static void read_globs(VerifySpec *spec) {
        const cJSON *protect = json_get(spec->json, "protect");

        if (protect)
                spec->n_protect = read_strings(protect, spec->protect, VERIFY_GLOBS_MAX);
        else
                for (unsigned i = 0; i < ELEMENTS(protect_default); i++)
                        spec->protect[spec->n_protect++] = protect_default[i];
        spec->n_allow = read_strings(json_get(spec->json, "allow"), spec->allow, VERIFY_GLOBS_MAX);
}

static int read_reruns(VerifySpec *spec, Error *err) {
        const cJSON *json = json_get(spec->json, "reruns");
        uint64_t need = 1, of = 1;

        (void) json_number(json, "need", &need);
        (void) json_number(json, "of", &of);
        if (need > of)
                return error_say(err, -EINVAL,
                                 "verify spec, /reruns: %llu of %llu runs can never pass",
                                 (unsigned long long) need, (unsigned long long) of);
        spec->need = (unsigned) need;
        spec->of = (unsigned) of;
        return 0;
}

/* Names can only be looked for where something names tests */
static int read_expect(VerifySpec *spec, Error *err) {
        spec->n_expect =
                read_strings(json_get(spec->json, "expect"), spec->expect, VERIFY_EXPECT_MAX);
        if (spec->n_expect > 0 && !verify_spec_names_tests(spec))
                return error_say(err, -EINVAL,
                                 "verify spec, /expect: no command names its tests; say in which "
                                 "form it prints them: \"parse\": \"tap\", for example");
        return 0;
}

int verify_spec_new(const cJSON *json, VerifySpec **ret, Error *err) {
        SCOPED(verify_spec_free) VerifySpec *spec = calloc(1, sizeof(*spec));
        int r;

        if (!spec)
                return error_set(err, -ENOMEM, "read the verify spec");
        r = check_shape(json, err);
        if (r < 0)
                return r;
        spec->json = cJSON_Duplicate(json, true);
        if (!spec->json || canonical_digest(spec->json, spec->digest) < 0)
                return error_set(err, -ENOMEM, "read the verify spec");
        r = read_commands(spec, err);
        if (r < 0)
                return r;
        read_globs(spec);
        r = read_expect(spec, err);
        if (r == 0)
                r = read_reruns(spec, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(spec);
        return 0;
}

VerifySpec *verify_spec_free(VerifySpec *spec) {
        if (!spec)
                return NULL;
        json_free(spec->json);
        free(spec);
        return NULL;
}

bool verify_spec_names_tests(const VerifySpec *spec) {
        for (unsigned i = 0; i < spec->n_commands; i++)
                if (spec->commands[i].parse != PARSE_EXIT)
                        return true;
        return false;
}
