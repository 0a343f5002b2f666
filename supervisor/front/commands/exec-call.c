/*
 * exec-call: see exec-call.h.
 */
#include "supervisor/front/commands/exec-call.h"

#include "supervisor/front/clients.h"
#include "supervisor/front/policy/controls.h"

typedef struct Executing {
        Call *call;
        Client *client; /* borrowed; NULL: gone */
        Command *command;
        ExecAnswerFn answer;
        ExecAfterFn after;
        void *userdata;
} Executing;

cJSON *exec_answer_in_jail(FrontJail *jail, cJSON *record_consume) {
        cJSON *json = cJSON_CreateObject();

        json_add_text(json, "jail", front_jail_id(jail));
        json_add_consume(json, "controls", controls_describe(jail));
        json_add_consume(json, "command", record_consume);
        return json;
}

static void on_client_gone(Client *client, void *userdata) {
        Executing *executing = userdata;

        (void) client;
        executing->client = NULL;
        command_kill(executing->command, CAUSE_KILLED_BY_CLIENT);
}

static void on_done(Command *command, const CommandEnd *end, void *userdata) {
        autofree Executing *executing = userdata;
        FrontJail *jail = command_jail(command);
        unsigned n_fds = 0;
        int fds[2];
        cJSON *record;

        if (executing->client) {
                client_unwatch(executing->client, on_client_gone, executing);
                record = command_record_fds(command, end, fds, &n_fds);
                call_answer(executing->call, executing->answer(jail, record), fds, n_fds);
        } else {
                call_answer(executing->call, NULL, NULL, 0);
        }
        if (executing->after)
                executing->after(jail, executing->userdata);
}

static void tell_started(const Executing *executing, const FrontJail *jail) {
        cJSON *params = cJSON_CreateObject();

        json_add_text(params, "jail", front_jail_id(jail));
        json_add_text(params, "command", command_id(executing->command));
        json_add_consume(params, "request", call_id(executing->call));
        json_add_consume(params, "controls", controls_describe(jail));
        call_notify(executing->call, "command.started", params);
}

int exec_call_start(FrontJail *jail, const ExecCall *exec, Error *err) {
        autofree Executing *executing = malloc(sizeof *executing);
        Client *client = call_client(exec->call);
        int r;

        if (!executing)
                return error_set(err, -ENOMEM, "start a command");
        if (!client)
                return error_say(err, -ECANCELED, "the client has gone");
        *executing =
                (Executing){ exec->call, client, NULL, exec->answer, exec->after, exec->userdata };
        if (client_watch(client, on_client_gone, executing) < 0)
                return error_set(err, -ENOMEM, "start a command");
        r = command_start(jail, exec->spec, on_done, executing, &executing->command, err);
        if (r < 0) {
                client_unwatch(client, on_client_gone, executing);
                return r;
        }
        /*
         * A copy here would keep everybody from hearing that the command closed its end. A terminal stays: a program may
         * leave it and open it again, and that is no hang-up.
         */
        if (!exec->spec->tty)
                call_close_fds(exec->call);
        tell_started(executing, jail);
        (void) TAKE_PTR(executing);
        return 0;
}
