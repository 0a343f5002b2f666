/*
 * spec: what proves a change right. The shape is checked by the supervisor, which alone acts on it; here
 * it only must be JSON. Flags add to a file's lists, and make a whole spec where --run is given.
 */
#include "cli/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/user-file.h"

#define SPEC_MAX (256 * 1024)

static int parse_text(const char *text, size_t n, const char *what, cJSON **ret, Error *err) {
        SCOPED(json_free) cJSON *json = NULL;
        int r = json_parse(text, n, JSON_COMMENTS, &json, err);

        if (r < 0)
                return error_add(err, r, "%s", what);
        if (!cJSON_IsObject(json))
                return error_say(err, -EINVAL, "%s: a verify spec is an object.", what);
        *ret = TAKE_PTR(json);
        return 0;
}

/* A file that was named and is not there, or is no spec, is wrong usage */
static int load_file(const char *path, cJSON **ret, Error *err) {
        autofree char *text = NULL;
        int r = user_file_read(path, SPEC_MAX, &text, err);

        if (r == 0)
                r = parse_text(text, strlen(text), path, ret, err);
        return r < 0 && r != -ENOMEM ? VERB_E_USAGE : r;
}

static int load_from_repository(const Repository *repo, bool from_commit, cJSON **ret, Error *err) {
        autofree char *text = NULL;
        int r = workspace_read(repo, SPEC_PATH, from_commit, &text, err);

        if (r < 0)
                return r;
        if (text)
                r = parse_text(text, strlen(text), SPEC_PATH, ret, err);
        if (r == 0 && text && json_get(*ret, "held"))
                r = error_say(err, -EINVAL,
                              SPEC_PATH ": what names held-back tests cannot stand in the "
                                        "repository: give --held DIR, or --spec FILE.");
        if (text)
                return r < 0 && r != -ENOMEM ? VERB_E_USAGE : r;
        (void) error_say(err, -ENOENT,
                         "Nothing says how to test this project: there is no " SPEC_PATH
                         "%s%.12s. Write and commit one (see warder-verify(5), and warder verify "
                         "--guess), name one with --spec, or give --run 'make test'.",
                         from_commit ? " in commit " : "", from_commit ? repo->commit : "");
        return VERB_E_USAGE;
}

/* One command of the shell each; the names run, run-2, … stand in verdicts */
static cJSON *from_flags(const SpecOptions *options) {
        SCOPED(json_free) cJSON *spec = cJSON_CreateObject();
        cJSON *commands;

        json_add_text(spec, "warder", "verify/1");
        commands = json_add_array(spec, "commands");
        for (unsigned i = 0; i < options->run.n; i++) {
                cJSON *command = json_push_consume(commands, cJSON_CreateObject()), *words;
                char id[16] = "run";

                if (i > 0)
                        snprintf(id, sizeof(id), "run-%u", i + 1);
                json_add_text(command, "id", id);
                words = json_add_array(command, "run");
                json_push_text(words, "/bin/sh");
                json_push_text(words, "-c");
                json_push_text(words, options->run.items[i]);
                json_add_text(command, "parse", options->parse ? options->parse : "exit");
                if (options->wall)
                        json_add_text(command, "wall", options->wall);
        }
        return commands ? TAKE_PTR(spec) : NULL;
}

static int add_list(cJSON *spec, const char *name, const OptionList *list, Error *err) {
        cJSON *array = json_get(spec, name);

        if (list->n == 0)
                return 0;
        if (!cJSON_IsArray(array)) {
                cJSON_DeleteItemFromObjectCaseSensitive(spec, name);
                array = json_add_array(spec, name);
        }
        for (unsigned i = 0; i < list->n; i++)
                if (!json_push_text(array, list->items[i]))
                        return error_set(err, -ENOMEM, "make the spec");
        return 0;
}

/* The flag asks for it; settings that a spec has for it stay */
static int add_tdd(cJSON *spec, const SpecOptions *options, Error *err) {
        cJSON *tdd = json_get(spec, "tdd");

        if (!options->tdd && !options->tdd_strict)
                return 0;
        if (!cJSON_IsObject(tdd)) {
                cJSON_DeleteItemFromObjectCaseSensitive(spec, "tdd");
                tdd = json_add_object(spec, "tdd");
        }
        if (options->tdd_strict) {
                cJSON_DeleteItemFromObjectCaseSensitive(tdd, "unproven");
                json_add_text(tdd, "unproven", "fail");
        }
        return tdd ? 0 : error_set(err, -ENOMEM, "make the spec");
}

static int check_flags(const SpecOptions *options, Error *err) {
        uint64_t usec;

        if (options->run.n > 0 && options->spec)
                return error_say(err, -EINVAL, "Give --spec or --run, not both.");
        if (options->run.n == 0 && (options->parse || options->wall))
                return error_say(err, -EINVAL, "--parse and --time belong to --run.");
        if (options->wall && units_parse_duration(options->wall, &usec, err) < 0)
                return error_add(err, -EINVAL, "--time");
        return 0;
}

int spec_load(const SpecOptions *options, const Repository *repo, bool from_commit,
              cJSON **ret_spec, Error *err) {
        SCOPED(json_free) cJSON *spec = NULL;
        int r;

        if (check_flags(options, err) < 0)
                return VERB_E_USAGE;
        if (options->run.n > 0) {
                spec = from_flags(options);
                r = spec ? 0 : error_set(err, -ENOMEM, "make the spec");
        } else if (options->spec) {
                r = load_file(options->spec, &spec, err);
        } else {
                r = load_from_repository(repo, from_commit, &spec, err);
        }
        if (r == 0)
                r = add_list(spec, "protect", &options->protect, err);
        if (r == 0)
                r = add_list(spec, "allow", &options->allow, err);
        if (r == 0)
                r = add_list(spec, "expect", &options->expect, err);
        if (r == 0)
                r = add_tdd(spec, options, err);
        if (r != 0)
                return r;
        *ret_spec = TAKE_PTR(spec);
        return 0;
}

/* The option that a field of the spec came from, where --run made it; "": none */
static const char *option_of(const char *field) {
        static const char *const options[][2] = {
                { "/parse", "--parse" },
                { "/wall", "--time" },
                { "/run", "--run" },
        };
        const char *end = strrchr(field, '/');

        if (strncmp(field, "/commands/", 10) != 0)
                return strncmp(field, "/expect", 7) == 0 ? "--expect" : "";
        for (unsigned i = 0; i < ELEMENTS(options); i++)
                if (strcmp(end, options[i][0]) == 0)
                        return options[i][1];
        return "";
}

bool spec_explain(const SpecOptions *options, const Answer *answer, Error *err) {
        const cJSON *error = json_get(answer->message.json, "error");
        const char *path = json_text(json_get(error, "data"), "path");
        const char *text = json_text(error, "message"), *option;

        if (!path || !text || strncmp(path, "/spec", 5) != 0 || (path[5] && path[5] != '/'))
                return false;
        option = options->run.n > 0 ? option_of(path + 5) : "";
        if (*option)
                (void) error_say(err, -EINVAL, "%s: %s", option, text);
        else
                (void) error_say(err, -EINVAL, "%s: %s%s%s",
                                 options->run.n > 0 ? "the spec that --run makes"
                                 : options->spec    ? options->spec
                                                    : SPEC_PATH,
                                 path[5] ? path + 5 : "", path[5] ? ": " : "", text);
        return true;
}
