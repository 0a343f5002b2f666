/*
 * Verify specs: what is taken, what is refused and by which field.
 */
#include <string.h>

#include "base/canonical.h"
#include "supervisor/front/gate/verify-spec.h"
#include "tests/tap.h"

static int read_spec(const char *text, VerifySpec **ret, SchemaFault *fault) {
        SCOPED(json_free) cJSON *json = NULL;
        int r = json_parse(text, strlen(text), 0, &json, NULL);

        return r < 0 ? r : verify_spec_new(json, ret, fault);
}

static void test_example(void) {
        static const char text[] =
                "{\"warder\":\"verify/1\",\"include\":[],"
                "\"setup\":[{\"run\":[\"npm\",\"ci\"],\"key\":[\"package-lock.json\"]}],"
                "\"commands\":[{\"id\":\"unit\",\"run\":[\"npm\",\"test\"],\"parse\":\"tap\","
                "\"wall\":\"5m\"}],\"protect\":[\"test/**\",\"package.json\"],\"allow\":[],"
                "\"reruns\":{\"need\":1,\"of\":1}}";
        SCOPED(verify_spec_free) VerifySpec *spec = NULL;
        SchemaFault fault = { .path = "" };

        ok(read_spec(text, &spec, &fault) == 0, "the example of the documents is taken");
        if (!spec)
                return;
        ok(spec->n_commands == 1 && strcmp(spec->commands[0].id, "unit") == 0, "id of the command");
        ok(strcmp(spec->commands[0].argv[1], "test") == 0 && !spec->commands[0].argv[2],
           "arguments end with NULL");
        ok(spec->commands[0].parse == PARSE_TAP, "its parser");
        ok(spec->commands[0].wall_usec == 300u * 1000000u, "its time");
        ok(spec->n_setup == 1 && strcmp(spec->setup[0].argv[0], "npm") == 0, "setup");
        ok(spec->n_protect == 2 && spec->n_allow == 0, "globs as given");
        ok(verify_spec_names_tests(spec), "it names tests");
}

static void test_defaults(void) {
        SCOPED(verify_spec_free) VerifySpec *spec = NULL;
        SchemaFault fault = { .path = "" };
        bool starts = false;

        ok(read_spec("{\"warder\":\"verify/1\",\"commands\":[{\"run\":[\"true\"]},"
                     "{\"run\":[\"false\"]}]}",
                     &spec, &fault) == 0,
           "a spec may be short");
        if (!spec)
                return;
        ok(strcmp(spec->commands[1].id, "commands-2") == 0, "a command without id gets one");
        ok(spec->commands[0].parse == PARSE_EXIT && !verify_spec_names_tests(spec),
           "only the exit code counts");
        ok(spec->n_protect > 3, "tests are protected by default");
        for (unsigned i = 0; i < spec->n_protect; i++)
                starts |= strcmp(spec->protect[i], "**/Makefile") == 0;
        ok(starts, "so is what starts them");
}

static void refused(const char *text, const char *word, const char *what) {
        SCOPED(verify_spec_free) VerifySpec *spec = NULL;
        SchemaFault fault = { .path = "" };
        int r = read_spec(text, &spec, &fault);

        ok(r < 0 && !spec && fault.text[0] &&
                   (strstr(fault.path, word) || strstr(fault.text, word)),
           "%s: %s: %s", what, fault.path, fault.text);
}

static void test_refusals(void) {
        refused("[]", "", "no object");
        refused("{\"warder\":\"verify/1\",\"commands\":[]}", "/commands", "no command");
        refused("{\"warder\":\"verify/2\",\"commands\":[{\"run\":[\"a\"]}]}", "/warder",
                "another version");
        refused("{\"warder\":\"verify/1\",\"commands\":[{\"run\":\"make test\"}]}",
                "/commands/0/run", "a shell line is no list");
        refused("{\"warder\":\"verify/1\",\"comands\":[],\"commands\":[{\"run\":[\"a\"]}]}",
                "comands", "an unknown field");
        refused("{\"warder\":\"verify/1\",\"commands\":[{\"run\":[\"\"]}]}", "/commands/0/run",
                "an empty name");
        refused("{\"warder\":\"verify/1\",\"commands\":[{\"run\":[\"a\"],\"wall\":\"soon\"}]}",
                "/commands/0/wall", "no time");
        refused("{\"warder\":\"verify/1\",\"commands\":[{\"run\":[\"a\"],\"wall\":\"0s\"}]}",
                "/commands/0/wall", "no time at all");
        refused("{\"warder\":\"verify/1\",\"commands\":[{\"id\":\"x\",\"run\":[\"a\"]},"
                "{\"id\":\"x\",\"run\":[\"b\"]}]}",
                "twice", "one name for two commands");
        refused("{\"warder\":\"verify/1\",\"commands\":[{\"run\":[\"a\"]}],"
                "\"reruns\":{\"need\":4,\"of\":3}}",
                "/reruns", "reruns");
}

static void test_canonical(void) {
        static const char one[] = "{\"b\":[1,{\"z\":1,\"y\":2}],\"a\":\"x\"}";
        static const char two[] = "{ \"a\": \"x\", \"b\": [ 1, { \"y\": 2, \"z\": 1 } ] }";
        SCOPED(json_free) cJSON *first = NULL;
        SCOPED(json_free) cJSON *second = NULL;
        autofree char *text = NULL;
        uint8_t digests[2][DIGEST_SIZE];

        ok(json_parse(one, strlen(one), 0, &first, NULL) == 0 &&
                   json_parse(two, strlen(two), 0, &second, NULL) == 0,
           "two spellings of one value");
        text = canonical_text(first);
        ok(text && strcmp(text, "{\"a\":\"x\",\"b\":[1,{\"y\":2,\"z\":1}]}") == 0,
           "members are sorted, lists are not: %s", text);
        ok(canonical_digest(first, digests[0]) == 0 && canonical_digest(second, digests[1]) == 0 &&
                   memcmp(digests[0], digests[1], DIGEST_SIZE) == 0,
           "one digest");
        ok(json_get(first, "b") && first->child && strcmp(first->child->string, "b") == 0,
           "the value itself stays as it was");
}

int main(void) {
        test_example();
        test_defaults();
        test_refusals();
        test_canonical();
        return tap_end();
}
