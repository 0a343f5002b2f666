/*
 * doctor-kinds: see doctor-kinds.h. A kind needs what every jail needs and the checks that its row names.
 */
#include "cli/doctor-kinds.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor-you.h"
#include "cli/link.h"

#define NEEDS_MAX   4
#define BECAUSE_MAX 256

static const struct {
        const char *kind;
        const char *needs[NEEDS_MAX];
        bool is_shared; /* the current directory is written to */
} kinds_table[] = {
        { "the host root", { NULL }, false },
        { "an imported root", { "idmap of the state", "overlay on tmpfs" }, false },
        { "a persistent workspace", { "loop devices", "mke2fs" }, false },
        { "a directory that is not packed",
          { "idmap of this directory", "overlay on tmpfs" },
          false },
        { "--rw of this directory", { "idmap of this directory" }, true },
        { "the policy strict", { "idmap of the state", "overlay on tmpfs", "landlock" }, false },
};

static const cJSON *find_check(const cJSON *checks, const char *name) {
        const cJSON *row;

        cJSON_ArrayForEach(row, checks) {
                const char *check = json_text(row, "check");

                if (check && strcmp(check, name) == 0)
                        return row;
        }
        return NULL;
}

static bool is_state(const cJSON *row, const char *state) {
        const char *text = json_text(row, "state");

        return text && strcmp(text, state) == 0;
}

typedef struct Reasons {
        bool lacks;  /* one is missing */
        bool unsure; /* one is unknown */
        char missing[BECAUSE_MAX];
        char unknown[BECAUSE_MAX];
} Reasons;

/* What is missing counts; what is unknown leaves it open */
static void weigh(const cJSON *row, Reasons *reasons) {
        bool is_missing = is_state(row, "missing"), is_unknown = is_state(row, "unknown");
        const char *name = json_text(row, "check"), *found = json_text(row, "found");
        char *text;
        size_t n;

        if (!is_missing && !is_unknown)
                return;
        reasons->lacks |= is_missing;
        reasons->unsure |= is_unknown;
        text = is_missing ? reasons->missing : reasons->unknown;
        n = strlen(text);
        (void) snprintf(text + n, BECAUSE_MAX - n, "%s%s: %s", n ? ", " : "", name ? name : "",
                        found ? found : "");
}

/* What the monitor refuses whatever the file system can: no jail writes as root of the host */
static void weigh_owner(Reasons *reasons) {
        struct stat here;
        const char *why = NULL;
        size_t n = strlen(reasons->missing);

        if (stat(".", &here) < 0)
                return;
        if (here.st_uid == 0)
                why = "it belongs to root";
        else if (here.st_gid == 0)
                why = "it belongs to the group root";
        else if (geteuid() != 0 && here.st_uid != geteuid())
                why = "it belongs to another user";
        if (!why)
                return;
        reasons->lacks = true;
        (void) snprintf(reasons->missing + n, BECAUSE_MAX - n, "%s%s", n ? ", " : "", why);
}

static void add_kind(const cJSON *checks, unsigned i, cJSON *kinds) {
        cJSON *object = cJSON_CreateObject();
        Reasons reasons = { 0 };
        const cJSON *row;

        cJSON_ArrayForEach(row, checks) {
                const char *need = json_text(row, "need");

                if (need && strcmp(need, "required") == 0)
                        weigh(row, &reasons);
        }
        for (unsigned k = 0; k < NEEDS_MAX && kinds_table[i].needs[k]; k++) {
                row = find_check(checks, kinds_table[i].needs[k]);
                if (row)
                        weigh(row, &reasons);
        }
        if (kinds_table[i].is_shared)
                weigh_owner(&reasons);
        json_add_text(object, "kind", kinds_table[i].kind);
        json_add_text(object, "possible",
                      reasons.lacks    ? "no"
                      : reasons.unsure ? "unknown"
                                       : "yes");
        json_add_text(object, "because", reasons.lacks ? reasons.missing : reasons.unknown);
        json_push_consume(kinds, object);
}

void doctor_kinds(const cJSON *checks, cJSON *kinds) {
        for (unsigned i = 0; i < ELEMENTS(kinds_table); i++)
                add_kind(checks, i, kinds);
}

/* ---- policies ------------------------------------------------------------------------------------- */

static unsigned count_faults(const cJSON *policies, char *first, size_t n) {
        const cJSON *policy;
        unsigned faults = 0;

        cJSON_ArrayForEach(policy, policies) {
                const char *fault = json_text(policy, "fault");

                if (fault && faults++ == 0)
                        (void) snprintf(first, n, "%s", fault);
        }
        return faults;
}

static void add_policies(cJSON *rows, const char *state, const char *found) {
        bool is_ok = strcmp(state, "ok") == 0;
        cJSON *row = cJSON_CreateObject();

        json_add_text(row, "check", "policies");
        json_add_text(row, "state", state);
        json_add_text(row, "need", "optional");
        json_add_text(row, "found", found);
        json_add_text(row, "cost", is_ok ? "" : "a policy that is wrong makes no jail");
        json_add_text(row, "remedy",
                      is_ok ? ""
                      : strcmp(state, "unknown") == 0
                              ? "'sudo warder policy list' starts one and asks it"
                              : "warder policy check FILE names line and field");
        json_push_consume(rows, row);
}

void doctor_policies(const char *socket, cJSON *rows) {
        const char *path = doctor_socket(socket);
        Ask ask = { .method = "policy.list" };
        Answer answer = ANSWER_EMPTY;
        Link link = LINK_EMPTY;
        char found[BECAUSE_MAX] = "";
        unsigned faults;
        Error err = ERROR_EMPTY;

        if (access(path, F_OK) < 0 || link_open(&link, path, &err) < 0) {
                add_policies(rows, "unknown", "no supervisor runs that could be asked");
                return;
        }
        if (link_ask(&link, &ask, &answer, &err) != 0) {
                add_policies(rows, "unknown", err.text);
        } else {
                const cJSON *policies = json_get(answer.result, "policies");

                faults = count_faults(policies, found, sizeof(found));
                if (faults == 0)
                        (void) snprintf(found, sizeof(found), "%d are good",
                                        cJSON_GetArraySize(policies));
                add_policies(rows, faults ? "weak" : "ok", found);
        }
        answer_deinit(&answer);
        link_deinit(&link);
}
