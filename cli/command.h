#pragma once
/*
 * command: one command in a jail as run and exec see it: its stdio, the signals that people send it, and
 * what is said when it has ended.
 */
#include "base/ids.h"
#include "cli/link.h"
#include "cli/outcome.h"
#include "cli/pty.h"
#include "cli/stdio.h"

typedef struct Command {
        Link link;
        Stdio stdio;
        Pty pty;                  /* --tty: the command's terminal */
        bool tty;                 /* it gets one */
        uint64_t hung_up_usec;    /* when that was taken from it; 0: it has it */
        bool json;                /* stdout carries events, the command's output is captured */
        bool owns_jail;           /* run: a second signal ends the jail; exec: the command alone */
        OutcomeFacts facts;       /* for the sentence */
        char jail[ID_MAX];        /* "" until it is known */
        char id[ID_MAX];          /* "" until it was started */
        char code[LINK_CODE_MAX]; /* of a refusal */
        int last_signal; /* that came to us; sent when the command has started, if it came before */
        unsigned n_signals;
} Command;

#define COMMAND_EMPTY ((Command){ .link = LINK_EMPTY, .pty = PTY_EMPTY })

/**
 * command_open() - connect, look at stdio and put "stdio" into @exec (EXEC); where command->tty, a terminal
 * Returns: 0 or negative errno.
 */
int command_open(Command *command, const char *socket, cJSON *exec, Error *err);

/**
 * command_run() - send the request, serve it until its end, report that
 * @method:  jail.create or jail.exec; @params is consumed
 * @work_fd: passed first where >= 0
 *
 * Returns: the exit code, or negative errno; where the supervisor refused, code has its word.
 */
int command_run(Command *command, const char *method, cJSON *params, int work_fd, Error *err);

/** command_add_term() - the caller's TERM into the "env" of @exec, unless it says one */
void command_add_term(cJSON *exec);

/** command_close() - close the connection: an ephemeral jail ends with it */
void command_close(Command *command);
