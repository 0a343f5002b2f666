/*
 * command-agent-step. The supervisor makes a listener of the jail's own loopback, on a port that is chosen here so
 * that arguments and variables can name it; where somebody has it already, the next one is taken.
 */
#include "agent/workflow/command-agent-step.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "agent/workflow/exec-step.h"
#include "agent/workflow/loader.h"

#define PORT_FIRST     20000u /* below those that the kernel gives out by itself */
#define PORTS          10000u
#define PORT_TRIES_MAX 8u
#define VARIABLES_MAX  64u

typedef struct Variable {
        const char *name; /* borrowed from the workflow's JSON */
        Template *value;  /* owned; NULL: the variable is taken away */
} Variable;

typedef struct CommandAgent { /* Step.own */
        Template *words[WORKFLOW_ARGUMENTS_MAX];
        unsigned n_words;
        Variable variables[VARIABLES_MAX];
        unsigned n_variables;
} CommandAgent;

/* What the two families of clients look for. The key is a word, because some ask for one; egress has the real one. */
static const struct {
        const char *name;
        const char *value; /* behind the model's address; where it has none, by itself */
        bool address;
} variables[] = {
        { "OPENAI_BASE_URL", "/v1", true },
        { "OPENAI_API_BASE", "/v1", true },
        { "OPENAI_API_KEY", "no-key-here", false },
        { "ANTHROPIC_BASE_URL", "", true },
        { "ANTHROPIC_API_KEY", "no-key-here", false },
};

/* ---- loading ------------------------------------------------------------------------------------- */

void command_agent_step_unload(Step *step) {
        CommandAgent *own = step->own;

        for (unsigned i = 0; own && i < own->n_words; i++)
                template_free(own->words[i]);
        for (unsigned i = 0; own && i < own->n_variables; i++)
                template_free(own->variables[i].value);
        free(own);
        step->own = NULL;
}

static int load_words(Loader *loader, const cJSON *list, const char *path, CommandAgent *own,
                      Error *err) {
        int n = cJSON_GetArraySize(list);
        const cJSON *word;
        int r = 0;

        if (!cJSON_IsArray(list) || n < 1 || n > WORKFLOW_ARGUMENTS_MAX)
                return workflow_fault(err, path, "command-agent",
                                      "a list is needed: the program and its arguments, at most %d",
                                      WORKFLOW_ARGUMENTS_MAX);
        cJSON_ArrayForEach(word, list) {
                char inner[WORKFLOW_PATH_MAX];

                (void) snprintf(inner, sizeof(inner), "%s/command-agent/%u", path, own->n_words);
                if (!cJSON_IsString(word))
                        return workflow_fault(err, inner, "", "a string is needed");
                r = template_parse(word->valuestring, loader->workflow->expressions, inner,
                                   &own->words[own->n_words], err);
                if (r < 0)
                        return r;
                own->n_words++;
        }
        return 0;
}

static bool is_name(const char *name) {
        size_t n = strlen(name);

        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char) name[i]) && name[i] != '_')
                        return false;
        return n > 0 && n <= 256 && !isdigit((unsigned char) name[0]);
}

static int load_variable(Loader *loader, const cJSON *json, const char *path, CommandAgent *own,
                         Error *err) {
        Variable *variable = &own->variables[own->n_variables];

        if (!is_name(json->string))
                return workflow_fault(err, path, json->string, "that is no name of a variable");
        if (!cJSON_IsString(json) && !cJSON_IsNull(json))
                return workflow_fault(err, path, json->string, "a string is needed, or null");
        variable->name = json->string;
        own->n_variables++;
        if (cJSON_IsNull(json))
                return 0;
        return template_parse(json->valuestring, loader->workflow->expressions, path,
                              &variable->value, err);
}

static int load_variables(Loader *loader, const cJSON *env, const char *path, CommandAgent *own,
                          Error *err) {
        char inner[WORKFLOW_PATH_MAX];
        const cJSON *json;
        int r = 0;

        if (env && (!cJSON_IsObject(env) || cJSON_GetArraySize(env) > (int) VARIABLES_MAX))
                return workflow_fault(err, path, "env",
                                      "an object of at most %u variables is needed", VARIABLES_MAX);
        (void) snprintf(inner, sizeof(inner), "%s/env", path);
        cJSON_ArrayForEach(json, env) {
                if (r >= 0)
                        r = load_variable(loader, json, inner, own, err);
        }
        return r;
}

int command_agent_step_load(Loader *loader, const cJSON *json, const char *path, Step *step,
                            Error *err) {
        CommandAgent *own = calloc(1, sizeof(*own));
        int r;

        if (!own)
                return error_set(err, -ENOMEM, "%s", path);
        step->own = own;
        r = load_words(loader, json_get(json, "command-agent"), path, own, err);
        if (r >= 0)
                r = load_variables(loader, json_get(json, "env"), path, own, err);
        return r;
}

/* ---- running ------------------------------------------------------------------------------------- */

static int fill_words(Engine *engine, const CommandAgent *own, cJSON *params, Error *err) {
        cJSON *list = json_add_array(params, "argv");

        for (unsigned i = 0; i < own->n_words; i++) {
                autofree char *text = NULL;
                int r = engine_fill(engine, own->words[i], &text, err);

                if (r < 0)
                        return r;
                (void) json_push_text(list, text);
        }
        return 0;
}

static int fill_variables(Engine *engine, const CommandAgent *own, const char *url, cJSON *params,
                          Error *err) {
        cJSON *env = json_add_object(params, "env");

        for (unsigned i = 0; i < ELEMENTS(variables); i++) {
                char text[128];

                (void) snprintf(text, sizeof(text), "%s%s", variables[i].address ? url : "",
                                variables[i].value);
                (void) json_add_text(env, variables[i].name, text);
        }
        for (unsigned i = 0; i < own->n_variables; i++) {
                autofree char *text = NULL;
                int r = own->variables[i].value
                                ? engine_fill(engine, own->variables[i].value, &text, err)
                                : 0;

                if (r < 0)
                        return r;
                cJSON_DeleteItemFromObjectCaseSensitive(env, own->variables[i].name);
                (void) json_add_text(env, own->variables[i].name, text);
        }
        return 0;
}

/* What expressions of this step see beside the rest: .model.url and .model.name. */
static void show_model(Engine *engine, const char *url) {
        const cJSON *info = json_get(engine->session->info, "model");
        cJSON *model = json_add_object(engine->data, "model");

        (void) json_add_text(model, "url", url);
        (void) json_add_text(model, "name", json_text(info, "model"));
}

static int make_params(Engine *engine, const Step *step, unsigned port, cJSON **ret, Error *err) {
        SCOPED(json_free) cJSON *params = cJSON_CreateObject();
        char url[64];
        int r;

        (void) snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
        show_model(engine, url);
        r = fill_words(engine, step->own, params, err);
        if (r >= 0)
                r = fill_variables(engine, step->own, url, params, err);
        cJSON_DeleteItemFromObjectCaseSensitive(engine->data, "model");
        if (r < 0)
                return r;
        if (step->timeout_usec > 0)
                (void) json_add_number(params, "timeout_usec", step->timeout_usec);
        (void) json_add_text(params, "path", engine->path);
        if (engine->fork > 0)
                (void) json_add_number(params, "fork", engine->fork);
        (void) json_add_number(json_add_object(params, "model"), "port", port);
        *ret = TAKE_PTR(params);
        return 0;
}

/* Steps that run side by side begin at different places. */
static unsigned first_port(const Engine *engine) {
        unsigned sum = 0;

        for (const char *at = engine->path; *at; at++)
                sum = 31 * sum + (unsigned char) *at;
        return sum % PORTS;
}

static bool is_taken(int r, const LinkAnswer *answer) {
        return r == LINK_E_REFUSED && strcmp(answer->code, "exists") == 0;
}

int command_agent_step_run(Engine *engine, const Step *step, cJSON **ret_output, Error *err) {
        SCOPED(link_answer_deinit) LinkAnswer answer = LINK_ANSWER_EMPTY;
        unsigned first = first_port(engine);
        const cJSON *model;
        int r = LINK_E_REFUSED;

        for (unsigned i = 0; i < PORT_TRIES_MAX && (i == 0 || is_taken(r, &answer)); i++) {
                cJSON *params = NULL;

                link_answer_deinit(&answer);
                r = make_params(engine, step, PORT_FIRST + (first + i) % PORTS, &params, err);
                if (r < 0)
                        return r;
                r = link_call(engine->session->link, "exec", params, &answer, err);
        }
        r = engine_answered(engine, r, &answer);
        if (r < 0)
                return r;
        r = exec_step_output(engine, &answer, ret_output, err);
        model = json_get(answer.result, "model");
        if (r >= 0 && model)
                (void) json_add_consume(*ret_output, "model", cJSON_Duplicate(model, true));
        return r;
}
