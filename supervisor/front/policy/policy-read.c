/*
 * policy-read: see policy-read.h.
 *
 * A file may extend one of its own name: that is the next one down, the shipped one below an
 * administrator's.
 */
#include "supervisor/front/policy/policy-read.h"

#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "supervisor/front/policy/seccomp-profile.h"

#define EXTENDS_MAX 4

typedef struct Chain { /* of files, from the one that was asked for to its parents */
        const struct Chain *child;
        const char *name;
        unsigned place;
        unsigned depth;
} Chain;

typedef struct Reading {
        const PolicyReader *reader;
        PolicyRules *rules;
        PolicyFault fault;
        Error *err;
} Reading;

static int load(Reading *reading, const char *name, unsigned from, const Chain *child);

static bool goes_round(const Chain *chain, char *text, size_t n) {
        bool round = false;

        (void) snprintf(text, n, "%s", chain->name);
        for (const Chain *at = chain->child; at && !round; at = at->child) {
                size_t used = strlen(text);

                (void) snprintf(text + used, n - used, ", which %s extends", at->name);
                round = at->place == chain->place && strcmp(at->name, chain->name) == 0;
        }
        return round;
}

static int load_parent(Reading *reading, const PolicyText *text, const char *name,
                       const Chain *chain) {
        unsigned from = strcmp(name, chain->name) == 0 ? chain->place + 1 : 0;
        int r;

        if (chain->depth >= EXTENDS_MAX)
                r = policy_fault_set(&reading->fault, text, "/extends",
                                     "more than %d policies extend each other", EXTENDS_MAX);
        else
                r = load(reading, name, from, chain);
        if (r == -ENOENT)
                r = policy_fault_set(&reading->fault, text, "/extends",
                                     "there is no policy %s%s: `warder policy list` has those that "
                                     "there are",
                                     name, from > 0 ? " below this one" : "");
        return r;
}

static int load_text(Reading *reading, const PolicyText *text, const Chain *chain) {
        SCOPED(json_free) cJSON *json = NULL;
        char round[256];
        const char *parent;
        int r;

        if (goes_round(chain, round, sizeof round))
                return policy_fault_set(&reading->fault, text, "/extends", "it extends itself: %s",
                                        round);
        r = policy_file_parse(text, &json, &reading->fault);
        if (r < 0)
                return r;
        parent = json_text(json, "extends");
        r = parent ? load_parent(reading, text, parent, chain) : 0;
        if (r < 0)
                return r;
        return policy_file_apply(reading->rules, text, json, parent != NULL, &reading->fault);
}

/* -ENOENT: there is no such file; -EINVAL: reading->fault; else reading->err says it. */
static int load(Reading *reading, const char *name, unsigned from, const Chain *child) {
        SCOPED(place_file_deinit) PlaceFile file = { 0 };
        Chain chain = { child, name, 0, child ? child->depth + 1 : 0 };
        PolicyText text = { .schema = reading->reader->schema };
        char path[POLICY_NAME_MAX + 8];
        int r;

        (void) snprintf(path, sizeof path, "%s.json", name);
        r = policy_places_read(reading->reader->places, path, from, &file, reading->err);
        if (r < 0)
                return r == -EINVAL ? -EBADF : r;
        text.file = file.shown;
        text.text = file.text;
        text.n = file.n;
        chain.place = file.place;
        return load_text(reading, &text, &chain);
}

int policy_read_profile(const PolicyReader *reader, const char *name, int *ret_filter,
                        char **ret_notices, Error *err) {
        SCOPED(place_file_deinit) PlaceFile file = { 0 };
        SeccompFilter filter = SECCOMP_FILTER_EMPTY;
        char path[POLICY_NAME_MAX + 16];
        int r;

        (void) snprintf(path, sizeof path, "seccomp/%s.json", name);
        r = policy_places_read(reader->places, path, 0, &file, err);
        if (r < 0)
                return error_say(err, -ENOENT, "%s", (err ? *err : ERROR_EMPTY).text);
        r = seccomp_profile_compile(file.text, file.n, 0, &filter, err);
        if (r < 0)
                return error_add(err, r == -ENOENT ? -EINVAL : r, "%s", file.shown);
        *ret_filter = filter.fd;
        *ret_notices = filter.notices;
        return 0;
}

static int compile(const PolicyReader *reader, const char *policy, PolicyRead *read, Error *err) {
        char origin[POLICY_ORIGIN_MAX];
        Error own = ERROR_EMPTY;
        int r = policy_read_profile(reader, read->said.seccomp, &read->filter, &read->notices,
                                    &own);

        if (r == -ENOENT)
                return error_say(err, -EINVAL, "%s: /seccomp: %s",
                                 policy_origin(&read->said, POLICY_SECCOMP, origin), own.text);
        return r < 0 ? error_say(err, r, "policy %s: %s", policy, own.text) : 0;
}

int policy_read_digest(const PolicyRules *rules, int filter, const char *name, uint8_t *ret,
                       Error *err) {
        SCOPED(json_free) cJSON *json = policy_rules_json(rules);
        autofree char *text = NULL;
        uint8_t value[DIGEST_SIZE];
        char shown[DIGEST_TEXT_MAX];

        if (digest_of_fd(filter, value, NULL) == 0)
                json_add_text(json, "filter", digest_format(value, shown));
        json_add_text(json, "name", name);
        text = json ? json_print(json) : NULL;
        if (!text)
                return error_set(err, -ENOMEM, "digest policy %s", name);
        digest_of(text, strlen(text), ret);
        return 0;
}

static int finish(const PolicyReader *reader, const char *name, PolicyRead *read, Error *err) {
        int r = compile(reader, name, read, err);

        if (r < 0)
                return r;
        read->rules = read->said;
        (void) policy_settle(&read->rules, reader->info);
        return policy_read_digest(&read->rules, read->filter, name, read->digest, err);
}

void policy_read_deinit(PolicyRead *read) {
        if (read->filter >= 0)
                (void) close(read->filter);
        read->filter = -EBADF;
        free(read->notices);
        read->notices = NULL;
}

int policy_read(const PolicyReader *reader, const char *name, PolicyRead *ret, Error *err) {
        SCOPED(policy_read_deinit) PolicyRead read = POLICY_READ_EMPTY;
        Reading reading = { .reader = reader, .rules = &read.said, .err = err };
        int r = load(&reading, name, 0, NULL);

        if (r == -ENOENT)
                return error_say(err, r, "there is no policy %s: see `warder policy list`", name);
        if (r == -EINVAL)
                return policy_fault_error(&reading.fault, err);
        if (r >= 0)
                r = finish(reader, name, &read, err);
        if (r < 0)
                return r;
        *ret = read;
        read = POLICY_READ_EMPTY;
        return 0;
}

int policy_read_text(const PolicyReader *reader, const PolicyText *text, PolicyRead *ret,
                     PolicyFault *fault, Error *err) {
        SCOPED(policy_read_deinit) PolicyRead read = POLICY_READ_EMPTY;
        Reading reading = { .reader = reader, .rules = &read.said, .err = err };
        const Chain chain = { NULL, "", POLICY_PLACES, 0 };
        int r = load_text(&reading, text, &chain);

        if (r == -EINVAL)
                *fault = reading.fault;
        if (r < 0)
                return r;
        r = finish(reader, text->file, &read, err);
        if (r < 0)
                return policy_fault_set(fault, text, "/seccomp", "%s", err->text);
        *ret = read;
        read = POLICY_READ_EMPTY;
        return 0;
}
