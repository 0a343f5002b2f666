/* ceilings: the file, which entry wins, and where each value came from. */
#include "supervisor/front/policy/ceilings.h"

#include "base/json-line.h"
#include "tests/tap.h"

static const FrontInfo host = { .memory_total = 16ull << 30, .pids_total = 32768, .cpus = 8 };

static const char text[] =
        "// who may have what\n"                                /* 1 */
        "{\"warder\": \"ceilings/1\",\n"                        /* 2 */
        " \"default\": {\"limits\": {\"memory\": \"1G\"},\n"    /* 3 */
        "  \"quotas\": {\"jails\": 3, \"memory\": \"2G\"}},\n"  /* 4 */
        " \"users\": {\n"                                       /* 5 */
        "  /* alice */ \"1000\": {\"quotas\": {\"jails\": 1}}," /* 6 */
        "  \"0\": {\"quotas\": {\"tasks\": 2}}},\n"             /* 6 */
        " \"groups\": {\"27\": {\"quotas\": {\"jails\": 9,\n"   /* 7 */
        "                              \"memory\": \"1G\"}},\n" /* 8 */
        "            \"28\": {\"quotas\": {\"jails\": 5}}},\n"  /* 9 */
        " \"host\": {\"reserve\": \"6G\", \"memory\": \"100%\",\n"
        "  \"pressure\": {\"memory\": \"7%\"}, \"queue\": {\"wait\": \"2s\"}}}\n";

static Ceilings *read_text(const char *from, Error *err) {
        Ceilings *ceilings = NULL;

        (void) ceilings_new(from, strlen(from), &ceilings, err);
        return ceilings;
}

static void is_value(const Ceiling *ceiling, const char *name, uint64_t want, const char *source) {
        const CeilingValue *value = ceiling_get(ceiling, "quotas", name);
        char from[CEILING_SOURCE_MAX];

        is_number(value ? value->value : 77, want, name);
        is_text(value ? ceiling_source(value, from) : "", source, "… and where it came from");
}

static void the_right_entry_wins(void) {
        static const uint32_t groups[] = { 5, 27, 28 };
        Error err = ERROR_EMPTY;
        Ceilings *ceilings = read_text(text, &err);
        Ceiling ceiling;

        is_text(err.text, "", "the file is read");
        ceilings_of(ceilings, &host, &(CeilingWho){ 1000, groups, 3 }, &ceiling);
        is_value(&ceiling, "jails", 1, "ceilings.json:6, users.1000");
        is_value(&ceiling, "memory", 1ull << 30, "ceilings.json:8, groups.27");
        is_value(&ceiling, "tasks", 16, "built in");
        is_number(ceiling_get(&ceiling, "limits", "memory")->value, 1ll << 30,
                  "a limit by default");
        ok(ceiling_get(&ceiling, "limits", "pids")->value == CEILING_NONE,
           "a limit that nothing is said about is the policy's");
        ok(ceiling_get(&ceiling, "limits", "nothing") == NULL, "no such field");
        ceilings_of(ceilings, &host, &(CeilingWho){ 1001, groups, 3 }, &ceiling);
        is_value(&ceiling, "jails", 9, "ceilings.json:7, groups.27");
        ceilings_of(ceilings, &host, &(CeilingWho){ 1001, groups + 2, 1 }, &ceiling);
        is_value(&ceiling, "jails", 5, "ceilings.json:9, groups.28");
        is_value(&ceiling, "memory", 2ull << 30, "ceilings.json:4, default");
        ceilings_of(ceilings, &host, &(CeilingWho){ 1002, NULL, 0 }, &ceiling);
        is_value(&ceiling, "jails", 3, "ceilings.json:4, default");
        ceilings_of(ceilings, &host, &(CeilingWho){ 0, groups, 3 }, &ceiling);
        is_value(&ceiling, "jails", CEILING_NONE, "built in");
        is_value(&ceiling, "tasks", 2, "ceilings.json:6, users.0");
        ceilings_free(ceilings);
}

static void without_a_file(void) {
        FrontInfo alone = host;
        HostRules rules;
        Ceiling ceiling;

        ceilings_of(NULL, &host, &(CeilingWho){ 1000, NULL, 0 }, &ceiling);
        for (unsigned i = QUOTA_JAILS; i < _CEILING_FIELD_MAX; i++)
                ok(ceiling.items[i].value != CEILING_NONE, "%s is finite", ceiling_field_name(i));
        ceilings_host(NULL, &host, &rules);
        ok(rules.jails && rules.reserve && rules.memory && rules.pressure[0] && rules.queue,
           "the host has rules");
        ok(!rules.pressure[1] && !rules.pressure[2],
           "none for io and cpu, of which one jail can make as much as it likes");
        alone.private_call = 1;
        ceilings_of(NULL, &alone, &(CeilingWho){ 1000, NULL, 0 }, &ceiling);
        for (unsigned i = 0; i < _CEILING_FIELD_MAX; i++)
                ok(ceiling.items[i].value == CEILING_NONE, "private: no ceiling for %s",
                   ceiling_field_name(i));
        ceilings_host(NULL, &alone, &rules);
        ok(!rules.jails && !rules.reserve && !rules.memory, "private: no rules for the host");
}

static void rules_of_the_host(void) {
        Error err = ERROR_EMPTY;
        Ceilings *ceilings = read_text(text, &err);
        HostRules rules;

        ceilings_host(ceilings, &host, &rules);
        is_number(rules.reserve, 6ll << 30, "what must stay available");
        is_number((rules.memory >> 20), (10ll << 30 >> 20) - 1, "100% of what is left");
        is_number(rules.pressure[0], 7, "pressure that was said");
        is_number(rules.pressure[1], 0, "and that was not");
        is_number(rules.wait_usec, 2000000, "how long one may wait");
        ceilings_free(ceilings);
}

static void wrong_files(void) {
        static const struct {
                const char *text, *reason;
        } bad[] = {
                { "{\n}", "ceilings.json:1: the field \"warder\" is missing" },
                { "{\"warder\": \"ceilings/2\"}", "ceilings.json:1: /warder: " },
                { "{\"warder\": \"ceilings/1\",\n\"users\": {\n\"alice\": {}}}",
                  "ceilings.json:3: /users/alice: write the number, as `id -u NAME`" },
                { "{\"warder\": \"ceilings/1\",\n\"users\": {\"01\": {}}}", "ceilings.json:2: " },
                { "{\"warder\": \"ceilings/1\",\n\"groups\": {\n\"4294967295\": {}}}",
                  "ceilings.json:3: /groups/4294967295: is no id" },
                { "{\"warder\": \"ceilings/1\", \"default\": {\n\"limits\":\n{\"memory\": \"0\"}}}",
                  "ceilings.json:3: /default/limits/memory: must be more than 0" },
                { "{\"warder\": \"ceilings/1\", \"default\": {\"quotas\":\n{\"memory\": "
                  "\"99999999999999999999G\"}}}",
                  "ceilings.json:2: /default/quotas/memory: " },
                { "{\"warder\": \"ceilings/1\", \"default\": {\"quotas\":\n{\"jail\": 1}}}",
                  "ceilings.json:2: /default/quotas/jail: unknown field" },
                { "{\"warder\": \"ceilings/1\",\n\"host\": {\"pressure\": {\n\"io\": \"101%\"}}}",
                  "ceilings.json:3: /host/pressure/io: " },
                { "{\"warder\": \"ceilings/1\",\n", "ceilings.json: line 2" },
        };

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                Error err = ERROR_EMPTY;
                Ceilings *ceilings = read_text(bad[i].text, &err);

                ok(!ceilings && strncmp(err.text, bad[i].reason, strlen(bad[i].reason)) == 0,
                   "%s (%s)", bad[i].reason, err.text);
                ceilings_free(ceilings);
        }
}

static void lines_of_values(void) {
        static const char json[] =
                "{\"a\": [1, {\"x\": \"}\\\"]\"},\n [2,\n3]],\n\"b~/\":\n{\"c\":0}}";

        is_number(json_line(json, strlen(json), ""), 1, "the whole");
        is_number(json_line(json, strlen(json), "/a/1/x"), 1, "in an element");
        is_number(json_line(json, strlen(json), "/a/2"), 2, "behind a string with brackets");
        is_number(json_line(json, strlen(json), "/a/2/1"), 3, "nested");
        is_number(json_line(json, strlen(json), "/a/2/9"), 2,
                  "one that is not there: what holds it");
        is_number(json_line(json, strlen(json), "/b~0~1"), 4, "an escaped name");
        is_number(json_line(json, strlen(json), "/b~0~1/c"), 5, "behind it");
        is_number(json_line("[", 1, "/0/0/0"), 1, "a text that ends");
        is_number(json_line("", 0, "/a"), 1, "no text");
}

int main(void) {
        the_right_entry_wins();
        without_a_file();
        rules_of_the_host();
        wrong_files();
        lines_of_values();
        return tap_end();
}
