/*
 * inject-client: see inject-client.h.
 */
#include "tests/jail/inject-client.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/jail/tracer.h"

static void path_of(const InjectClient *client, const char *name, char *ret) {
        (void) snprintf(ret, PATH_MAX, "%s/%s", client->dir, name);
}

bool inject_client_prepare(const InjectClient *client) {
        char command[2 * PATH_MAX + 128];

        (void) snprintf(
                command, sizeof(command),
                "cd '%s' && PATH=\"$PATH:/usr/sbin:/sbin\" sh '%s/tests/jail/inject-work' prepare",
                client->dir, client->source);
        return system(command) == 0;
}

static void become(const InjectClient *client, const char *step) {
        char path[PATH_MAX], search[PATH_MAX + 32], script[PATH_MAX + 32];
        const char *usual = getenv("PATH");
        int out;

        tracer_unblock();
        path_of(client, "words", path);
        out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        (void) dup2(open("/dev/null", O_RDWR | O_CLOEXEC), 0);
        (void) dup2(out, 1);
        (void) dup2(out, 2);
        path_of(client, "run/warder.sock", path);
        (void) setenv("WARDER_SOCKET", path, 1);
        (void) snprintf(search, sizeof(search), "%s/cli:%.*s", client->build, 1000,
                        usual ? usual : "/usr/bin:/bin");
        (void) setenv("PATH", search, 1);
        (void) snprintf(script, sizeof(script), "%s/tests/jail/inject-work", client->source);
        path_of(client, "work", path);
        if (chdir(path) == 0)
                (void) execl("/bin/sh", "sh", script, client->work, step, (char *) NULL);
        _exit(127);
}

pid_t inject_client_start(const InjectClient *client, const char *step) {
        pid_t pid = fork();

        if (pid == 0)
                become(client, step);
        return pid;
}

void inject_client_words(const InjectClient *client, char *ret, size_t n) {
        char path[PATH_MAX];
        FILE *file;
        size_t got = 0;

        path_of(client, "words", path);
        file = fopen(path, "re");
        if (file) {
                got = fread(ret, 1, n - 1, file);
                (void) fclose(file);
        }
        ret[got] = 0;
        for (char *end = ret; (end = strchr(end, '\n'));)
                *end = end[1] ? '|' : '\0';
}
