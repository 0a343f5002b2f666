/*
 * verify-spec: see verify-spec.h. The schema checks the shape; here is what a schema cannot say: times,
 * names that may stand only once, and what this version does not do yet.
 */
#include "supervisor/front/gate/verify-spec.h"

#include <stdio.h>
#include <string.h>

#include "base/canonical.h"
#include "supervisor/front/gate/remarks.h"
#include "supervisor/front/verify-schema.h"

/*
 * What is protected where the spec names nothing: files that are tests by the conventions of most languages,
 * and files that say which tests there are and how they run (the rules). A change that must touch one of the latter
 * (a source file more in a Makefile, say) needs a spec that allows it.
 */
static const char *const tests_default[] = {
        "test*/**",       "spec/**",         "**/test/**",          "**/tests/**",
        "**/testdata/**", "**/__tests__/**", "**/__snapshots__/**", "**/tap-snapshots/**",
        "**/test_*.py",   "**/*_test.*",     "**/*.test.*",         "**/*.spec.*",
        "**/*_spec.rb",   "**/*Test.java",   "**/*Tests.java",      "**/*IT.java",
        "**/*Test.kt",    "**/*Tests.cs",    "**/*Test.php",
};

static const char *const rules_default[] = {
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

_Static_assert(ELEMENTS(tests_default) + ELEMENTS(rules_default) <= VERIFY_GLOBS_MAX,
               "a spec holds no more globs");

static int no_memory(SchemaFault *fault) {
        (void) verify_wrong(fault, "", "no memory to read the verify spec");
        return -ENOMEM;
}

static int check_shape(const cJSON *json, SchemaFault *fault) {
        SCOPED(json_free) cJSON *schema = NULL;

        if (json_parse(VERIFY_SCHEMA_JSON, strlen(VERIFY_SCHEMA_JSON), 0, &schema, NULL) < 0)
                return no_memory(fault);
        return schema_check(schema, json, fault);
}

static int check_id(const VerifySpec *spec, unsigned k, SchemaFault *fault) {
        char path[SCHEMA_PATH_MAX];

        (void) snprintf(path, sizeof(path), "/commands/%u/id", k);
        for (unsigned i = 0; i < k; i++)
                if (strcmp(spec->commands[i].id, spec->commands[k].id) == 0)
                        return verify_wrong(fault, path,
                                            "\"%s\" stands twice; each command needs a name of "
                                            "its own",
                                            spec->commands[k].id);
        return 0;
}

static int read_commands(VerifySpec *spec, SchemaFault *fault) {
        const cJSON *item;
        int r = 0;

        cJSON_ArrayForEach(item, json_get(spec->json, "setup")) {
                r = verify_command_read(item, "setup", spec->n_setup, &spec->setup[spec->n_setup],
                                        fault);
                if (r < 0)
                        return r;
                spec->n_setup++;
        }
        cJSON_ArrayForEach(item, json_get(spec->json, "commands")) {
                r = verify_command_read(item, "commands", spec->n_commands,
                                        &spec->commands[spec->n_commands], fault);
                if (r == 0)
                        r = check_id(spec, spec->n_commands, fault);
                if (r < 0)
                        return r;
                spec->n_commands++;
        }
        return r;
}

static void read_globs(VerifySpec *spec) {
        const cJSON *protect = json_get(spec->json, "protect");

        for (unsigned i = 0; !protect && i < ELEMENTS(tests_default); i++)
                spec->protect[spec->n_protect++] = tests_default[i];
        for (unsigned i = 0; i < ELEMENTS(rules_default); i++) {
                spec->rules[spec->n_rules++] = rules_default[i];
                if (!protect)
                        spec->protect[spec->n_protect++] = rules_default[i];
        }
        if (protect)
                spec->n_protect = verify_strings(protect, spec->protect, VERIFY_GLOBS_MAX);
        spec->n_allow =
                verify_strings(json_get(spec->json, "allow"), spec->allow, VERIFY_GLOBS_MAX);
}

static void read_checks(VerifySpec *spec) {
        const cJSON *checks = json_get(spec->json, "checks");

        spec->n_scope = verify_strings(json_get(checks, "scope"), spec->scope, VERIFY_GLOBS_MAX);
        spec->veto = remarks_bits(json_get(checks, "veto"));
}

static int read_reruns(VerifySpec *spec, SchemaFault *fault) {
        const cJSON *json = json_get(spec->json, "reruns");
        uint64_t need = 1, of = 1;

        (void) json_number(json, "need", &need);
        (void) json_number(json, "of", &of);
        if (need > of)
                return verify_wrong(fault, "/reruns", "%llu of %llu runs can never pass",
                                    (unsigned long long) need, (unsigned long long) of);
        spec->need = (unsigned) need;
        spec->of = (unsigned) of;
        return 0;
}

/* true, or an object with settings; false and nothing at all are the same */
static void read_tdd(VerifySpec *spec) {
        const cJSON *json = json_get(spec->json, "tdd");
        const char *red = json_text(json, "red"), *unproven = json_text(json, "unproven");
        uint64_t hunks = VERIFY_HUNKS, jobs = 0;

        (void) json_number(json, "hunks", &hunks);
        (void) json_number(json, "jobs", &jobs);
        spec->tdd = (VerifyTdd){ .asked = cJSON_IsTrue(json) || cJSON_IsObject(json),
                                 .any_failure = red && strcmp(red, "any") == 0,
                                 .strict = unproven && strcmp(unproven, "fail") == 0,
                                 .hunks = (unsigned) hunks,
                                 .jobs = (unsigned) jobs };
}

/* What names held-back tests in a repository would be read by whoever they are held back from */
static int check_held(const VerifySpec *spec, SchemaFault *fault) {
        if (!json_get(spec->json, "held"))
                return 0;
        return verify_wrong(fault, "/held",
                            "held-back tests come from the caller, as a descriptor: warder packs "
                            "the directory of a --spec FILE, or of --held");
}

/* Names can only be looked for where something names tests */
static int read_expect(VerifySpec *spec, SchemaFault *fault) {
        spec->n_expect =
                verify_strings(json_get(spec->json, "expect"), spec->expect, VERIFY_EXPECT_MAX);
        if (spec->n_expect > 0 && !verify_spec_names_tests(spec))
                return verify_wrong(fault, "/expect",
                                    "no command names its tests; say in which form it prints "
                                    "them: \"parse\": \"tap\", for example");
        return 0;
}

int verify_spec_new(const cJSON *json, VerifySpec **ret, SchemaFault *fault) {
        SCOPED(verify_spec_free) VerifySpec *spec = calloc(1, sizeof(*spec));
        int r;

        if (!spec)
                return no_memory(fault);
        r = check_shape(json, fault);
        if (r < 0)
                return r;
        spec->json = cJSON_Duplicate(json, true);
        if (!spec->json || canonical_digest(spec->json, spec->digest) < 0)
                return no_memory(fault);
        r = read_commands(spec, fault);
        if (r < 0)
                return r;
        read_globs(spec);
        read_checks(spec);
        read_tdd(spec);
        r = check_held(spec, fault);
        if (r == 0)
                r = read_expect(spec, fault);
        if (r == 0)
                r = read_reruns(spec, fault);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(spec);
        return 0;
}

/* @own: of the spec, which gets what @more vetoes besides; a check that is named twice is vetoed once */
static int add_checks(cJSON *own, const cJSON *more) {
        const cJSON *scope = json_get(more, "scope"), *name;
        unsigned had = remarks_bits(json_get(own, "veto"));
        cJSON *veto = json_get(own, "veto");

        if (scope && !json_get(own, "scope") &&
            !json_add_consume(own, "scope", cJSON_Duplicate(scope, true)))
                return -ENOMEM;
        if (!veto)
                veto = json_add_array(own, "veto");
        for (unsigned i = 0; i < _REMARK_CHECK_MAX; i++) {
                bool is_new = false;

                if ((had & BIT(i)) || !remark_check_name(i))
                        continue;
                cJSON_ArrayForEach(name, json_get(more, "veto")) {
                        is_new |= strcmp(name->valuestring, remark_check_name(i)) == 0;
                }
                if (is_new && !json_push_text(veto, remark_check_name(i)))
                        return -ENOMEM;
        }
        return veto ? 0 : -ENOMEM;
}

int verify_spec_check(VerifySpec **spec, const cJSON *checks, SchemaFault *fault) {
        SCOPED(json_free) cJSON *json = cJSON_Duplicate((*spec)->json, true);
        SCOPED(json_free) cJSON *shape = cJSON_Duplicate((*spec)->json, true);
        VerifySpec *checked = NULL;
        cJSON *own;
        int r;

        /* the workflow's own words first: they must have the shape of a spec's */
        cJSON_DeleteItemFromObjectCaseSensitive(shape, "checks");
        if (!json || !shape || !json_add_consume(shape, "checks", cJSON_Duplicate(checks, true)))
                return no_memory(fault);
        r = check_shape(shape, fault);
        if (r < 0)
                return r;
        own = json_get(json, "checks");
        if (!own)
                own = json_add_object(json, "checks");
        if (!own || add_checks(own, checks) < 0)
                return no_memory(fault);
        r = verify_spec_new(json, &checked, fault);
        if (r < 0)
                return r;
        verify_spec_free(*spec);
        *spec = checked;
        return 0;
}

int verify_spec_fits(const VerifySpec *spec, const JailLimits *limits, SchemaFault *fault) {
        int r = 0;

        for (unsigned i = 0; r == 0 && i < spec->n_setup; i++)
                r = verify_command_fits(&spec->setup[i], limits, "setup", i, fault);
        for (unsigned i = 0; r == 0 && i < spec->n_commands; i++)
                r = verify_command_fits(&spec->commands[i], limits, "commands", i, fault);
        return r;
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
