/*
 * login-shell: see login-shell.h.
 */
#include "cli/login-shell.h"

#include <stdio.h>
#include <string.h>

#include "base/fds.h"
#include "base/owned.h"
#include "base/units.h"

#define PASSWD_MAX    (1u << 20)
#define PASSWD_FIELDS 7 /* name, password, uid, gid, comment, home, shell */

/* A file of the jail, open for reading. Returns: as link_ask() */
static int open_file(Link *link, const char *jail, const char *path, Answer *ret, Error *err) {
        Ask ask = { .method = "jail.open", .params = cJSON_CreateObject() };

        json_add_text(ask.params, "jail", jail);
        json_add_text(ask.params, "path", path);
        json_push_text(json_add_array(ask.params, "flags"), "read");
        return link_ask(link, &ask, ret, err);
}

static int find_uid(Link *link, const char *jail, uint64_t *ret_uid, Error *err) {
        Ask ask = { .method = "jail.show", .params = cJSON_CreateObject() };
        Answer answer = ANSWER_EMPTY;
        int r;

        json_add_text(ask.params, "jail", jail);
        r = link_ask(link, &ask, &answer, err);
        if (r == 0)
                (void) json_number(json_get(answer.result, "user"), "uid", ret_uid);
        answer_deinit(&answer);
        return r;
}

/* Splits a line of passwd(5) in place. Returns: whether it has all its fields */
static bool split(char *line, char *fields[PASSWD_FIELDS]) {
        for (unsigned i = 0; i < PASSWD_FIELDS; i++) {
                fields[i] = strsep(&line, ":");
                if (!fields[i])
                        return false;
        }
        return !line;
}

static bool is_shell(const char *path) {
        const char *name = strrchr(path, '/');

        if (path[0] != '/' || strlen(path) >= LOGIN_SHELL_MAX)
                return false;
        return strcmp(name, "/nologin") != 0 && strcmp(name, "/false") != 0;
}

static void take_entry(char *text, uint64_t uid, char shell[LOGIN_SHELL_MAX]) {
        char *fields[PASSWD_FIELDS], *line;

        while ((line = strsep(&text, "\n"))) {
                uint64_t value = 0;

                if (!split(line, fields) || units_parse_number(fields[2], &value, NULL) < 0 ||
                    value != uid)
                        continue;
                if (is_shell(fields[6]))
                        snprintf(shell, LOGIN_SHELL_MAX, "%s", fields[6]);
                return; /* the first entry counts, as for everybody */
        }
}

static int read_passwd(Link *link, const char *jail, uint64_t uid, char shell[LOGIN_SHELL_MAX],
                       Error *err) {
        Answer answer = ANSWER_EMPTY;
        autofree char *text = NULL;
        size_t n = 0;
        int r = open_file(link, jail, "/etc/passwd", &answer, err);

        if (r == 0 && answer.message.n_fds == 1 &&
            fd_read_all(answer.message.fds[0], PASSWD_MAX, &text, &n) == 0)
                take_entry(text, uid, shell);
        answer_deinit(&answer);
        return r;
}

int login_shell_find(Link *link, const char *jail, const uint64_t *uid, char shell[LOGIN_SHELL_MAX],
                     Error *err) {
        char own[LOGIN_SHELL_MAX] = "";
        const char *const choices[] = { own, "/bin/bash", "/usr/bin/bash", "/bin/sh" };
        uint64_t user = 0;
        int r = find_uid(link, jail, &user, err);

        if (r != 0)
                return r;
        r = read_passwd(link, jail, uid ? *uid : user, own, err);
        if (strcmp(own, "/bin/sh") == 0) /* a default rather than a choice */
                own[0] = 0;
        for (unsigned i = 0; (r == 0 || r == LINK_E_REFUSED) && i < ELEMENTS(choices); i++) {
                Answer answer = ANSWER_EMPTY;

                *err = ERROR_EMPTY;
                if (!*choices[i])
                        continue;
                r = open_file(link, jail, choices[i], &answer, err);
                answer_deinit(&answer);
                if (r == 0) {
                        snprintf(shell, LOGIN_SHELL_MAX, "%s", choices[i]);
                        return 0;
                }
        }
        if (r != LINK_E_REFUSED)
                return r;
        *err = ERROR_EMPTY;
        snprintf(shell, LOGIN_SHELL_MAX, "sh");
        return 0;
}
