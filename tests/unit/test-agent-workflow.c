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
                { "[{\"id\":\"q\",\"ask\":\"\"}]", "/steps/0/ask", "a text is needed" },
                { "[{\"id\":\"q\",\"ask\":\"x\",\"about\":\"reboot\"}]", "/steps/0/about",
                  "apply, push, export or deploy" },
                { "[{\"id\":\"q\",\"ask\":\"x\",\"about\":\"time\"}]", "/steps/0/about",
                  "it is plan" },
                { "[{\"id\":\"q\",\"ask\":\"x\",\"about\":\"push\",\"otherwise\":\"yes\"}]",
                  "/steps/0/otherwise", "approved or not" },
                { "[{\"id\":\"q\",\"ask\":\"x\",\"choices\":[\"a\"]}]", "/steps/0/choices",
                  "2 to 20" },
                { "[{\"id\":\"q\",\"ask\":\"x\",\"choices\":[\"a\",7]}]", "/steps/0/choices",
                  "a choice is a text" },
                { "[{\"id\":\"q\",\"ask\":\"x\",\"choices\":[\"a\",\"b\"],\"answer\":{}}]",
                  "/steps/0/answer", "choices or a schema" },
                { "[{\"id\":\"q\",\"ask\":\"x\",\"wait\":\"31d\"}]", "/steps/0/wait", "to 30d" },
                { "[{\"id\":\"q\",\"ask\":\"x\",\"rejected\":\"try\"}]", "/steps/0/rejected",
                  "go_on" },
                { "[{\"id\":\"q\",\"ask\":\"{{ .steps.none.x }}\"}]", "/steps/0/ask",
                  "no step \"none\"" },
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

/* What each kind and each key of all kinds may not be. */
static void kind_faults(void) {
        static const struct {
                const char *step, *path, *words;
        } cases[] = {
                { "\"branch\":[]", "/branch", "1 to" },
                { "\"branch\":[7]", "/branch/0", "when" },
                { "\"branch\":[{\"steps\":[{\"id\":\"b\",\"map\":\"1\"}]},{\"when\":\"true\","
                  "\"steps\":[{\"id\":\"c\",\"map\":\"1\"}]}]",
                  "/branch/0/when", "never reached" },
                { "\"branch\":[{\"when\":\"true\",\"steps\":[]}]", "/branch/0/steps", "a list" },
                { "\"branch\":[{\"when\":\"true\",\"stpes\":[]}]", "/branch/0/stpes", "no such" },
                { "\"branch\":[{\"steps\":[{\"id\":\"b\",\"map\":\"1\"}]}],\"mode\":\"some\"",
                  "/mode", "all" },
                { "\"parallel\":{}", "/parallel", "a list" },
                { "\"parallel\":[[]]", "/parallel/0", "at least one" },
                { "\"parallel\":[{\"id\":\"b\",\"map\":\"1\"}],\"concurrency\":13", "/concurrency",
                  "1 to 12" },
                { "\"foreach\":7", "/foreach", "an expression" },
                { "\"foreach\":\".input\"", "/steps", "a list" },
                { "\"foreach\":\".input\",\"max_items\":0,\"steps\":[]", "/max_items", "1 to" },
                { "\"map\":7", "/map", "an expression" },
                { "\"map\":{\"x\":7}", "/map/x", "an expression" },
                { "\"sleep\":\"long\"", "/sleep", "long" },
                { "\"sleep\":\"31d\"", "/sleep", "30 days" },
                { "\"workflow\":7", "/workflow", "the name" },
                { "\"workflow\":\"x\"", "/workflow", "no workflow \"x\"" },
                { "\"exec\":{\"argv\":7}", "/exec/argv", "an expression" },
                { "\"exec\":{\"args\":\"x\"}", "/exec/argv", "the one key" },
                { "\"map\":\"1\",\"retry\":3", "/retry", "max" },
                { "\"map\":\"1\",\"retry\":{\"max\":21}", "/retry/max", "1 to 20" },
                { "\"map\":\"1\",\"retry\":{\"max\":1,\"wait\":1}", "/retry/wait", "a duration" },
                { "\"map\":\"1\",\"retry\":{\"max\":1,\"often\":1}", "/retry/often", "no such" },
                { "\"map\":\"1\",\"timeout\":\"x\"", "/timeout", "x" },
                { "\"map\":\"1\",\"require\":true", "/require", "an expression" },
                { "\"map\":\"1\",\"set\":{}", "/set", "1 to" },
                { "\"map\":\"1\",\"set\":{\"n\":1}", "/set/n", "an expression" },
                { "\"map\":\"1\",\"effects\":\"inside\"", "/effects", "outside" },
        };

        for (unsigned i = 0; i < ELEMENTS(cases); i++) {
                char step[512], want[300];
                const char *got;

                (void) snprintf(step, sizeof(step), "[{\"id\":\"a\",%s}]", cases[i].step);
                (void) snprintf(want, sizeof(want), "workflow w: /steps/0%s: ", cases[i].path);
                got = with_steps(step);
                has_text(got, want, cases[i].words);
                has_text(got, cases[i].words, cases[i].path);
        }
        has_text(with_steps("[{\"id\":\"finally\",\"map\":\"1\"}]"), "/steps/0/id: \"finally\"",
                 "a word that is taken");
}

#define STEP_A "{\"id\":\"a\",\"map\":\"1\"}"
#define STEP_X "{\"id\":\"x\",\"exec\":\"true\"}"
#define PLANNED                                                                             \
        "{\"id\":\"p\",\"agent\":\"dev\",\"prompt\":\"x\",\"output\":{\"type\":\"object\"," \
        "\"properties\":{\"kind\":{\"enum\":[\"s\",\"m\"]},\"files\":{\"type\":\"array\","  \
        "\"items\":{\"type\":\"string\"}},\"n\":{\"type\":\"number\"}},"                    \
        "\"additionalProperties\":false}}"
#define MAP(EXPRESSION) ",{\"id\":\"m\",\"map\":\"" EXPRESSION "\"}"

/* What can never be right is a fault. */
static void misfits(void) {
        static const struct {
                const char *steps, *path, *words;
        } cases[] = {
                { "[" STEP_X MAP(".steps.x.exit_code") "]", "/steps/1/map",
                  "never has \"exit_code\"" },
                { "[" STEP_X MAP(".steps.x.ok.y") "]", "/steps/1/map", "it is no object" },
                { "[" STEP_X MAP(".steps.x.output[0]") "]", "/steps/1/map", "it is no list" },
                { "[" PLANNED MAP(".steps.p.fils") "]", "/steps/1/map", "never has \"fils\"" },
                { "[" PLANNED MAP(".steps.p.files[0].name") "]", "/steps/1/map",
                  "it is no object" },
                { "[" PLANNED MAP(".steps.p.kind == \\\"l\\\"") "]", "/steps/1/map",
                  "never equal" },
                { "[" PLANNED MAP("3 != .steps.p.files") "]", "/steps/1/map", "never equal" },
                { "[{\"id\":\"v\",\"verify\":{}}" MAP(".steps.v.verdict == \\\"pased\\\"") "]",
                  "/steps/1/map", "never equal" },
                { "[" STEP_A MAP(".step.a") "]", "/steps/1/map", "there is no .step" },
                { "[" STEP_A MAP(".steps.b") "]", "/steps/1/map", "no step \"b\"" },
                { "[{\"id\":\"m\",\"map\":\".steps.a\"}," STEP_A "]", "/steps/0/map",
                  "runs only after" },
                { "[{\"id\":\"p\",\"parallel\":[" STEP_A ",{\"id\":\"b\",\"map\":\".steps.a\"}]}]",
                  "/steps/0/parallel/1/map", "runs beside" },
                { "[{\"id\":\"f\",\"foreach\":\"[1]\",\"steps\":[" STEP_A "]}" MAP(".steps.a") "]",
                  "/steps/1/map", "inside of \"f\" only" },
                { "[" PLANNED ",{\"id\":\"f\",\"foreach\":\".steps.p.n\",\"steps\":[" STEP_A "]}]",
                  "/steps/1/foreach", "never a list" },
                { "[{\"id\":\"x\",\"exec\":\"true\",\"output\":{\"required\":[\"status\"]}}]",
                  "/steps/0/output", "no output of kind \"exec\" fits" },
        };

        for (unsigned i = 0; i < ELEMENTS(cases); i++) {
                char want[300];
                const char *got = with_steps(cases[i].steps);

                (void) snprintf(want, sizeof(want), "workflow w: %s: ", cases[i].path);
                has_text(got, want, cases[i].words);
                has_text(got, cases[i].words, cases[i].path);
        }
}

/* What may be right is none. */
static void no_false_alarms(void) {
        static const char *const cases[] = {
                "[" STEP_X MAP(".steps.x.code == null") "]",
                "[" STEP_X MAP(".steps.x.exit_code // 3") "]",
                "[" STEP_X MAP(".steps.x | .exit_code") "]",
                "[" PLANNED MAP(".steps.p.n == 2.5") "]",
                "[" PLANNED MAP(".steps.p.files[0] == \\\"x\\\"") "]",
                "[{\"id\":\"v\",\"verify\":{}}" MAP(".steps.v.budget.x") "]",
                "[{\"id\":\"v\",\"verify\":{}}" MAP(".steps.v.verdict == null") "]",
                "[{\"id\":\"x\",\"exec\":\"true\",\"effects\":\"outside\"}" MAP(
                        ".steps.x.skipped") "]",
                "[{\"id\":\"l\",\"dountil\":\".steps.a\",\"max_iterations\":2,\"steps\":[{\"id\":"
                "\"p\","
                "\"parallel\":[" STEP_A ",{\"id\":\"b\",\"map\":\".steps.a\"}]}]}]",
                "[{\"id\":\"l\",\"dountil\":\"true\",\"max_iterations\":2,\"steps\":[{\"id\":\"b\","
                "\"map\":\".steps.a\"}," STEP_A "]}]",
                "[{\"id\":\"a\",\"map\":\"1\",\"require\":\".steps.a == "
                "1\",\"set\":{\"n\":\".steps.a\"}}]",
                "[{\"id\":\"f\",\"foreach\":\"[1]\",\"steps\":[" STEP_A MAP(".steps.a") "]}]",
                "[{\"id\":\"b\",\"branch\":[{\"when\":\".input.x\",\"steps\":[" STEP_A
                "]}]}" MAP(".steps.a") "]",
        };

        for (unsigned i = 0; i < ELEMENTS(cases); i++)
                is_text(with_steps(cases[i]), "", cases[i]);
        has_text(load("{\"warder\":\"workflow/"
                      "1\",\"name\":\"w\",\"input\":{\"additionalProperties\":false,"
                      "\"properties\":{\"request\":{\"type\":\"string\"}}},\"steps\":[{\"id\":"
                      "\"a\",\"map\":"
                      "\".input.reqest\"}]}"),
                 "/steps/0/map: ", "a closed input");
        is_text(load("{\"warder\":\"workflow/1\",\"name\":\"w\",\"steps\":[" STEP_A
                     "],\"finally\":[{\"id\":"
                     "\"f\",\"map\":\".steps.a\"}]}"),
                "", "finally sees all steps");
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

/* A workflow with the called one "c", whose input is {"command": list of texts, "n"?: integer} and no more. */
static const char *with_called(const char *with) {
        static char text[4096];

        (void) snprintf(text, sizeof(text),
                        "{\"warder\":\"workflow/1\",\"name\":\"w\",\"input\":{\"type\":\"object\","
                        "\"properties\":{\"s\":{\"type\":\"string\"},\"l\":{\"type\":\"array\"}}},"
                        "\"steps\":[{\"id\":\"a\",\"workflow\":\"c\",\"with\":%s}],\"workflows\":"
                        "{\"c\":{\"warder\":\"workflow/1\",\"name\":\"c\",\"input\":{\"type\":"
                        "\"object\",\"required\":[\"command\"],\"additionalProperties\":false,"
                        "\"properties\":{\"command\":{\"type\":\"array\",\"items\":{\"type\":"
                        "\"string\"}},\"n\":{\"type\":\"integer\"}}},"
                        "\"steps\":[{\"id\":\"x\",\"map\":\".input\"}]}}}",
                        with);
        return load(text);
}

static void inputs(void) {
        is_text(with_called("{\"command\":\".input.l\",\"n\":\"3\"}"), "", "an input that fits");
        is_text(with_called("{\"command\":\".input.l | map(.x)\"}"), "", "one that is not known");
        is_text(with_called("\".input\""), "", "an object as a whole");
        has_text(with_called("{\"n\":\"3\"}"), "/steps/0/with: the called workflow's input needs",
                 "/steps/0/with: the called workflow's input needs");
        has_text(with_called("{\"command\":\".input.l\",\"m\":\"3\"}"),
                 "/steps/0/with/m: ", "/steps/0/with/m: ");
        has_text(with_called("{\"command\":\".input.s\"}"), "/steps/0/with/command: `.input.s`",
                 "/steps/0/with/command: `.input.s`");
        has_text(with_called("{\"command\":\"[7]\"}"),
                 "/steps/0/with/command: ", "/steps/0/with/command: ");
        has_text(with_called("{\"command\":\".input.l\",\"n\":\"\\\"x\\\"\"}"),
                 "/steps/0/with/n: ", "/steps/0/with/n: ");
        has_text(with_called("\".input.s\""), "/steps/0/with: ", "/steps/0/with: ");
}

/* What an expression sees only in some places. */
static void places(void) {
        is_text(with_steps("[{\"id\":\"f\",\"foreach\":\"[1]\",\"steps\":[{\"id\":\"a\",\"map\":"
                           "\".item\"}]}]"),
                "", "an item in a foreach");
        is_text(with_steps("[{\"id\":\"a\",\"map\":\".input.list | map(.item)\"}]"), "",
                "a member of that name");
        is_text(with_steps("[{\"id\":\"a\",\"map\":\"1\",\"set\":{\"n\":\".state.n\"}}]"), "",
                "a state without a schema");
        has_text(with_steps("[{\"id\":\"a\",\"map\":\".item\"}]"),
                 "/steps/0/map: there is no .item", "/steps/0/map: there is no .item");
        has_text(with_steps("[{\"id\":\"a\",\"exec\":[\"x\",\"{{ .item.name + 1 }}\"]}]"),
                 "there is no .item", "there is no .item");
        has_text(with_steps("[{\"id\":\"f\",\"foreach\":\".item\",\"steps\":[{\"id\":\"a\",\"map\":"
                            "\"1\"}]}]"),
                 "/steps/0/foreach: there is no .item", "/steps/0/foreach: there is no .item");
        has_text(with_steps("[{\"id\":\"a\",\"map\":\".state.n + 1\"}]"),
                 "/steps/0/map: there is no state", "/steps/0/map: there is no state");
        has_text(load("{\"warder\":\"workflow/1\",\"name\":\"w\",\"state\":{\"type\":\"object\","
                      "\"additionalProperties\":false,\"properties\":{\"n\":{}}},\"steps\":[{"
                      "\"id\":\"a\","
                      "\"map\":\"1\",\"set\":{\"m\":\"1\"}}]}"),
                 "/steps/0/set: of the state: it never has \"m\"",
                 "/steps/0/set: of the state: it never has \"m\"");
        has_text(with_steps("[{\"id\":\"s\",\"split\":\"[1]\",\"steps\":[{\"id\":\"r\",\"race\":2,"
                            "\"wins\":\"true\",\"steps\":[{\"id\":\"v\",\"verify\":{}}]}]}]"),
                 "/steps/0/steps/0/race: it would fork a fork",
                 "/steps/0/steps/0/race: it would fork a fork");
        is_text(with_steps("[{\"id\":\"r\",\"race\":2,\"wins\":\"true\",\"steps\":[{\"id\":\"v\","
                           "\"verify\":{}}]},{\"id\":\"q\",\"race\":2,\"wins\":\"true\",\"steps\":"
                           "[{\"id\":\"w\",\"verify\":{}}]}]"),
                "", "one race after the other");
        is_text(with_steps("[{\"id\":\"r\",\"race\":2,\"wins\":\".item == "
                           "1\",\"steps\":[{\"id\":\"v\","
                           "\"map\":\".item\"}]}]"),
                "", "who wins may depend on the item");
        has_text(with_steps("[{\"id\":\"a\",\"ask\":\"x\",\"choices\":[\"y\",\"n\"],\"otherwise\":"
                            "\"z\"}]"),
                 "/steps/0/otherwise: \"z\" is no choice",
                 "/steps/0/otherwise: \"z\" is no choice");
        is_text(with_steps("[{\"id\":\"a\",\"ask\":\"x\",\"choices\":[\"y\",\"n\"],\"otherwise\":"
                           "\"n\"}]"),
                "", "a choice that stands for nobody's");
        has_text(with_steps("[{\"id\":\"a\",\"ask\":\"x\",\"answer\":{\"type\":\"integer\"},"
                            "\"otherwise\":\"z\"}]"),
                 "/steps/0/otherwise: ", "/steps/0/otherwise: ");
}

static void all_faults(void) {
        static const char text[] =
                "{\"warder\":\"workflow/1\",\"name\":\"w\",\"steps\":["
                "{\"id\":\"a\",\"agent\":\"nobody\",\"prompt\":\"x\"},"
                "{\"id\":\"p\",\"parallel\":[{\"id\":\"b\"},{\"id\":\"c\",\"exec\":7,\"x\":1}]},"
                "{\"id\":\"w\",\"workflow\":\"o\"}],\"finally\":[7],"
                "\"workflows\":{\"o\":{\"warder\":\"workflow/1\",\"name\":\"o\",\"steps\":["
                "{\"id\":\"a\",\"map\":\".steps.none\"},{\"id\":\"b\",\"map\":\"1\",\"y\":1}]}}}";
        static const char *const found[] = {
                "workflow w: /steps/0/agent: ",
                "workflow w: /steps/1/parallel/0: ",
                "workflow w: /steps/1/parallel/1/x: ",
                "workflow w: /steps/1/parallel/1/exec: ",
                "workflow w: /steps/2/workflow: workflow o: /steps/1/y: ",
                "workflow w: /finally/0: ",
        };
        SCOPED(json_free) cJSON *json = NULL;
        SCOPED(workflow_free) Workflow *workflow = NULL;
        SCOPED(faults_deinit) Faults faults = { 0 };
        Error err = ERROR_EMPTY;

        ok(json_parse(text, strlen(text), 0, &json, &err) == 0, "many faults");
        ok(workflow_load_all(json, &roles, &faults, &workflow, &err) == 0, "are all found");
        is_number(faults.n, ELEMENTS(found), "and no other");
        for (unsigned i = 0; i < ELEMENTS(found) && i < faults.n; i++)
                has_text(faults.texts[i], found[i], found[i]);
        ok(!workflow && !err.text[0], "there is no workflow, and no error");
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
        kind_faults();
        inputs();
        places();
        all_faults();
        misfits();
        no_false_alarms();
        role_faults();
        roles_deinit(&roles);
        return tap_end();
}
