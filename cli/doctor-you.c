/*
 * doctor-you: see doctor-you.h.
 */
#include "cli/doctor-you.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/connect.h"
#include "cli/doctor-find.h"
#include "cli/link.h"

#define GROUPS_MAX 256
#define SERVICE    RUNDIR "/warder.sock"

typedef struct Asked {
        bool is_there;        /* somebody listens */
        bool is_admitted;     /* and serves us */
        char text[FOUND_MAX]; /* if not: why */
        char key[FOUND_MAX];  /* of receipts; "": none */
        char fault[FOUND_MAX];
} Asked;

const char *doctor_socket(const char *named) {
        const char *variable = getenv("WARDER_SOCKET");

        if (named && *named)
                return named;
        return variable && *variable ? variable : SERVICE;
}

static void take_key(const cJSON *info, Asked *asked) {
        const char *key = json_text(info, "receipt_key"), *fault = json_text(info, "receipt_fault");

        found_set(asked->key, "%s", key ? key : "");
        found_set(asked->fault, "%s", fault ? fault : "");
}

static void ask(const char *path, Asked *asked) {
        Ask info = { .method = "warder.info" };
        Answer answer = ANSWER_EMPTY;
        Link link = LINK_EMPTY;
        Error err = ERROR_EMPTY;
        int fd = connect_socket(path), r;

        asked->is_there = fd >= 0 || fd == -EACCES;
        if (fd < 0) {
                found_set(asked->text, "%.80s: %s", path,
                          fd == -EACCES ? "its group is warder, and you are not in it"
                                        : strerrordesc_np(-fd));
                return;
        }
        (void) close(fd);
        r = link_open(&link, path, &err);
        if (r == 0)
                r = link_ask(&link, &info, &answer, &err);
        asked->is_admitted = r == 0;
        if (r == 0)
                take_key(answer.result, asked);
        if (r != 0)
                found_set(asked->text, "%.120s", err.text);
        answer_deinit(&answer);
        link_deinit(&link);
}

static bool is_in_group(const char *name) {
        const struct group *group = getgrnam(name);
        gid_t gids[GROUPS_MAX];
        int n = getgroups(GROUPS_MAX, gids);

        if (group && getegid() == group->gr_gid)
                return true;
        for (int i = 0; group && i < n; i++)
                if (gids[i] == group->gr_gid)
                        return true;
        return false;
}

typedef struct Row {
        const char *check, *need, *state, *found, *cost, *remedy;
} Row;

static void add(cJSON *rows, const Row *row) {
        bool is_ok = strcmp(row->state, "ok") == 0;
        cJSON *object = cJSON_CreateObject();

        json_add_text(object, "check", row->check);
        json_add_text(object, "state", row->state);
        json_add_text(object, "need", row->need);
        json_add_text(object, "found", row->found);
        json_add_text(object, "cost", is_ok ? "" : row->cost);
        json_add_text(object, "remedy", is_ok ? "" : row->remedy);
        json_push_consume(rows, object);
}

static void add_service(const char *path, bool is_named, const Asked *asked, cJSON *rows) {
        char found[FOUND_MAX];
        const Row row = {
                "service",
                "optional",
                asked->is_there ? "ok" : "missing",
                found,
                is_named ? "every call asks this one, and no other"
                         : "only root can use warder, by private supervisors",
                is_named ? "start it, or leave out --socket and unset WARDER_SOCKET"
                         : "systemctl enable --now warder.socket",
        };

        if (asked->is_there)
                found_set(found, "%.100s listens", path);
        else
                found_set(found, "%s", asked->text);
        add(rows, &row);
}

/* Of a supervisor that is there; a private one has its key when it first starts */
static void add_receipts(const Asked *asked, cJSON *rows) {
        char found[FOUND_MAX];
        const Row row = { "receipts",
                          "optional",
                          asked->key[0] && !asked->fault[0] ? "ok" : "missing",
                          found,
                          "receipts of tasks and verifies are not signed",
                          "see the supervisor's log; warder-receipt(5)" };

        if (asked->fault[0])
                found_set(found, "%s", asked->fault);
        else
                found_set(found, "signed by %s",
                          asked->key[0] ? asked->key : "nobody yet: ask again");
        if (asked->is_admitted)
                add(rows, &row);
}

unsigned doctor_you(const char *socket, cJSON *rows) {
        const char *path = doctor_socket(socket);
        Asked asked = { .text = "" };
        bool is_named = strcmp(path, SERVICE) != 0, is_root = geteuid() == 0, can;
        char found[FOUND_MAX];
        Row row = { .check = "you",
                    .need = "required",
                    .found = found,
                    .cost = "you can make no jail",
                    .remedy = "usermod -aG warder YOU and a new login; or sudo" };

        ask(path, &asked);
        add_service(path, is_named, &asked, rows);
        add_receipts(&asked, rows);
        can = asked.is_admitted || (is_root && !is_named);
        row.state = can ? "ok" : "missing";
        if (is_root && can)
                found_set(found, "root: all users' jails, private supervisors, model routes of "
                                 "your own");
        else if (can)
                found_set(found,
                          "user id %u: jails and snapshots of your own, %s; no model routes of "
                          "your own",
                          geteuid(),
                          is_in_group("warder-admin") ? "all users' jails to see and end"
                                                      : "nobody else's");
        else
                found_set(found, "user id %u: %.90s", geteuid(), asked.text);
        add(rows, &row);
        return !can;
}
