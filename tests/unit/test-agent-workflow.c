/* workflows and roles: what can be known before a run is checked at load, by its JSON path. */
#include <string.h>

#include "agent/workflow/kinds.h"
#include "agent/workflow/workflow.h"
#include "tests/tap.h"

static RoleSet roles;

/* The error of a load, "" where it loads. */
static const char *load(const char *text) {
        static char shown[ERROR_TEXT_MAX];
        SCOPED(json_free) cJSON *json = NULL;
        SCOPED(workflow_free) Workflow *workflow = NULL;
        Error err = ERROR_EMPTY;

        if (json_parse(text, strlen(text), 0, &json, &err) >= 0)
                (void) workflow_load(json, &roles, &workflow, &err);
        (void) snprintf(shown, sizeof(shown), "%s", err.text);
        return shown;
}

static const char *with_steps(const char *steps) {
        static char text[4096];

        (void) snprintf(text, sizeof(text),
                        "{\"warder\":\"workflow/1\",\"name\":\"w\",\"steps\":%s}", steps);
        return load(text);
}

static void good(void) {
        is_text(with_steps("[{\"id\":\"a\",\"agent\":\"dev\",\"prompt\":\"{{ .input.x }}\"},"
                           "{\"id\":\"l\",\"dowhile\":\".steps.v.verdict != \\\"passed\\\"\","
                           "\"max_iterations\":3,\"steps\":[{\"id\":\"v\",\"verify\":{}}]},"
                           "{\"id\":\"x\",\"exec\":[\"echo\",\"{{ .steps.a.text }}\"],\"timeout\":"
                           "\"5s\"},{\"id\":\"y\",\"exec\":\"make check\"}]"),
                "", "all kinds");
        is_text(with_steps(
                        "[{\"id\":\"l\",\"dountil\":\".steps.later.code == 0\","
                        "\"max_iterations\":2,\"steps\":[{\"id\":\"later\",\"exec\":\"true\"}]}]"),
                "", "a step may be named before it stands");
}

static void faults(void) {
        static const struct {
                const char *steps, *path, *words;
        } cases[] = {
                { "[]", "/steps", "at least one step" },
                { "{}", "/steps", "a list" },
                { "[7]", "/steps/0", "an object" },
                { "[{\"verify\":{}}]", "/steps/0/id", "needs an id" },
                { "[{\"id\":\"a b\",\"verify\":{}}]", "/steps/0/id", "no id" },
                { "[{\"id\":\"a\",\"verify\":{}},{\"id\":\"a\",\"verify\":{}}]", "/steps/1/id",
                  "a second step \"a\"" },
                { "[{\"id\":\"a\"}]", "/steps/0", "agent, exec, verify, dountil, dowhile" },
                { "[{\"id\":\"a\",\"verify\":{},\"exec\":\"x\"}]", "/steps/0/exec",
                  "one kind a step" },
                { "[{\"id\":\"a\",\"verify\":{},\"prompt\":\"x\"}]", "/steps/0/prompt",
                  "no such key" },
                { "[{\"id\":\"a\",\"verify\":true}]", "/steps/0/verify", "{} is needed" },
                { "[{\"id\":\"a\",\"agent\":\"nobody\",\"prompt\":\"x\"}]", "/steps/0/agent",
                  "no role \"nobody\"" },
                { "[{\"id\":\"a\",\"agent\":\"dev\"}]", "/steps/0/prompt", "a prompt is needed" },
                { "[{\"id\":\"a\",\"agent\":\"dev\",\"prompt\":\"{{ x\"}]", "/steps/0/prompt",
                  "has no" },
                { "[{\"id\":\"a\",\"agent\":\"dev\",\"prompt\":\"x\",\"max_turns\":0}]",
                  "/steps/0/max_turns", "1 to" },
                { "[{\"id\":\"a\",\"agent\":\"dev\",\"prompt\":\"x\",\"output\":[]}]",
                  "/steps/0/output", "an object" },
                { "[{\"id\":\"l\",\"dountil\":\"true\",\"steps\":[{\"id\":\"v\",\"verify\":{}}]}]",
                  "/steps/0/max_iterations", "every loop needs a limit" },
                { "[{\"id\":\"l\",\"dountil\":\"true\",\"max_iterations\":0,\"steps\":[{\"id\":"
                  "\"v\",\"verify\":{}}]}]",
                  "/steps/0/max_iterations", "1 to 1000" },
                { "[{\"id\":\"l\",\"dountil\":7,\"max_iterations\":1,\"steps\":[]}]",
                  "/steps/0/dountil", "an expression" },
                { "[{\"id\":\"l\",\"dountil\":\"true\",\"max_iterations\":1}]", "/steps/0/steps",
                  "a list" },
                { "[{\"id\":\"l\",\"dountil\":\".steps.chekc.verdict\",\"max_iterations\":1,"
                  "\"steps\":[{\"id\":\"check\",\"verify\":{}}]}]",
                  "/steps/0/dountil", "there is no step \"chekc\"" },
                { "[{\"id\":\"l\",\"dountil\":\"true\",\"max_iterations\":1,\"steps\":[{\"id\":"
                  "\"v\",\"verify\":{}},{\"id\":\"w\",\"verify\":7}]}]",
                  "/steps/0/steps/1/verify", "{}" },
                { "[{\"id\":\"x\",\"exec\":\"echo {{ .input.x }}\"}]", "/steps/0/exec",
                  "without templates" },
                { "[{\"id\":\"x\",\"exec\":[]}]", "/steps/0/exec", "1 to" },
                { "[{\"id\":\"x\",\"exec\":[7]}]", "/steps/0/exec/0", "a string" },
                { "[{\"id\":\"x\",\"exec\":\"y\",\"timeout\":\"soon\"}]", "/steps/0/timeout",
                  "soon" },
                { "[{\"id\":\"x\",\"exec\":\"y\",\"timeout\":5}]", "/steps/0/timeout",
                  "a duration" },
        };

        for (unsigned i = 0; i < ELEMENTS(cases); i++) {
                char want[300];
                const char *got = with_steps(cases[i].steps);

                (void) snprintf(want, sizeof(want), "workflow w: %s: ", cases[i].path);
                has_text(got, want, cases[i].words);
                has_text(got, cases[i].words, cases[i].path);
        }
        has_text(load("{\"name\":\"w\",\"steps\":[]}"), "/warder", "no format");
        has_text(load("{\"warder\":\"workflow/2\",\"name\":\"w\"}"), "/warder", "another version");
        has_text(load("{\"warder\":\"workflow/1\",\"steps\":[]}"), "/name", "no name");
        has_text(load("{\"warder\":\"workflow/1\",\"name\":\"w\",\"stpes\":[]}"), "/stpes",
                 "a misspelt key");
        has_text(load("[]"), "an object", "no object");
}

static const char *role(const char *text) {
        static char shown[ERROR_TEXT_MAX];
        SCOPED(json_free) cJSON *json = NULL;
        SCOPED(role_free) Role *made = NULL;
        Error err = ERROR_EMPTY;

        (void) json_parse(text, strlen(text), 0, &json, &err);
        (void) role_new("r", json, &made, &err);
        (void) snprintf(shown, sizeof(shown), "%s", err.text);
        return shown;
}

static void role_faults(void) {
        is_text(role("{\"instructions\":\"x\"}"), "", "the least role");
        has_text(role("{}"), "role r:", "no instructions");
        has_text(role("{\"instructions\":\"x\",\"tool\":[]}"), "tool", "a misspelt key");
        has_text(role("{\"instructions\":\"x\",\"tools\":[\"bash\",\"fly\"]}"),
                 "/tools: \"fly\" is no tool; the tools are bash, read", "an unknown tool");
        has_text(role("{\"instructions\":\"x\",\"max_turns\":0}"), "/max_turns", "a wrong limit");
        has_text(role("{\"instructions\":\"x\",\"name\":\"other\"}"), "/name", "another name");
        has_text(role("{\"warder\":\"role/2\",\"instructions\":\"x\"}"), "/warder",
                 "another version");
}

static void make_roles(void) {
        SCOPED(json_free) cJSON *json = NULL;
        static const char text[] = "{\"dev\":{\"instructions\":\"x\"}}";

        (void) json_parse(text, strlen(text), 0, &json, NULL);
        is_number(roles_load(&roles, json, NULL), 0, "roles load");
}

int main(void) {
        make_roles();
        good();
        faults();
        role_faults();
        roles_deinit(&roles);
        return tap_end();
}
