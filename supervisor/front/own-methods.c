/*
 * own-methods: see own-methods.h.
 */
#include "supervisor/front/own-methods.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "supervisor/front/clients.h"
#include "supervisor/front/commands/audit.h"
#include "supervisor/front/commands/commands.h"
#include "supervisor/front/commands/pressure.h"
#include "supervisor/front/gate/notary-link.h"
#include "supervisor/front/jails/jail-stats.h"
#include "supervisor/front/jails/jails.h"
#include "supervisor/front/methods.h"
#include "supervisor/front/policy/quotas.h"
#include "supervisor/front/policy/turns.h"
#include "supervisor/front/protocol.h"
#include "supervisor/front/store/snapshots.h"
#include "supervisor/front/tasks/tasks.h"
#include "supervisor/front/workspaces/workspaces.h"

/* ---- warder.info --------------------------------------------------------------------------------- */

static void add_socket(const Front *front, cJSON *json) {
        struct sockaddr_un name = { 0 };
        socklen_t n = sizeof name;

        if (getsockname(front->listen_fd, (struct sockaddr *) &name, &n) < 0 ||
            name.sun_family != AF_UNIX)
                name.sun_path[0] = '\0';
        json_add_text(json, "socket", name.sun_path);
}

static void add_caller(const Call *call, cJSON *json) {
        cJSON *caller = json_add_object(json, "caller");

        json_add_number(caller, "uid", call_peer(call)->uid);
        json_add_bool(caller, "admin", call_peer(call)->admin);
        json_add_bool(caller, "root", call_peer(call)->uid == 0);
}

static void add_host(const Front *front, cJSON *json) {
        json_add_text(json, "cgroup", front->info.cgroup_mode == CGROUP_V2 ? "v2" : "hybrid");
        json_add_number(json, "landlock", front->info.landlock_abi);
        json_add_bool(json, "psi", pressure_has_psi(front->pressure));
        json_add_text(json, "audit", audit_state(front->audit));
        json_add_number(json, "cpus", front->info.cpus);
        json_add_number(json, "memory", front->info.memory_total);
        json_add_number(json, "processes", front->info.pids_total);
        json_add_bool(json, "agent", front->agent_fd >= 0);
        json_add_bool(json, "egress", front->has_egress);
}

/* What a client may rely on, and what it runs into. */
static void add_bounds(cJSON *json) {
        static const struct {
                const char *name;
                uint64_t most;
        } bounds[] = {
                { "line_bytes", RPC_LINE_MAX },
                { "descriptors", RPC_FDS_PER_MESSAGE },
                { "requests_waiting", CALLS_PER_CLIENT_MAX },
                { "connections", CLIENTS_PER_UID_MAX },
                { "jails", FRONT_JAILS_PER_UID_MAX },
                { "jails_of_all", FRONT_JAILS_MAX },
                { "commands_of_a_jail", COMMANDS_PER_JAIL_MAX },
                { "stats_interval_usec", JAIL_STATS_INTERVAL_MIN },
        };
        cJSON *limits = json_add_object(json, "limits");

        for (unsigned i = 0; i < ELEMENTS(bounds); i++)
                json_add_number(limits, bounds[i].name, bounds[i].most);
}

/* Some of what a user has is counted where it is kept */
static uint64_t used_of(Front *front, uint32_t uid, CeilingField field) {
        switch ((int) field) {
        case QUOTA_SNAPSHOTS:
                return snapshots_count(front, uid);
        case QUOTA_SNAPSHOT_DISK:
                return snapshots_disk(front, uid);
        case QUOTA_WORKSPACES:
                return workspaces_count(front, uid);
        case QUOTA_WORKSPACE_DISK:
                return workspaces_disk(front, uid);
        default:
                return quota_used(front, uid, field);
        }
}

static int add_quotas(Front *front, uint32_t uid, cJSON *json, Error *err) {
        cJSON *quotas = json_add_object(json, "quotas");
        const Ceiling *ceiling;
        int r = quota_ceiling(front, uid, &ceiling, err);

        for (int i = QUOTA_JAILS; r >= 0 && i < _CEILING_FIELD_MAX; i++) {
                const CeilingValue *bound = &ceiling->items[i];
                char source[CEILING_SOURCE_MAX];
                cJSON *quota;

                if (bound->value == CEILING_NONE)
                        continue;
                quota = json_add_object(quotas, strchr(ceiling_field_name(i), '.') + 1);
                json_add_number(quota, "used", used_of(front, uid, i));
                json_add_number(quota, "most", bound->value);
                json_add_text(quota, "source", ceiling_source(bound, source));
        }
        return r;
}

/* What goes on altogether, for administrators. */
static void add_works(const Front *front, cJSON *json) {
        cJSON *shells = json_add_object(json, "shells");

        json_add_number(json, "waiting", turns_waiting(front->turns));
        json_add_number(shells, "asked", front->shells.asked);
        json_add_number(shells, "ready", front->shells.ready);
}

static void add_seen(const Front *front, const Call *call, cJSON *json) {
        uint32_t uid = call_uid(call);
        unsigned jails = 0;

        for (const FrontJail *jail = front->jails; jail; jail = front_jail_next(jail))
                jails += uid == 0 || front_jail_owner(jail) == uid;
        json_add_number(json, "jails", jails);
        json_add_number(json, "tasks", tasks_count(front->tasks, uid));
        if (uid == 0)
                add_works(front, json);
}

static int run_info(Front *front, Call *call, const cJSON *params, cJSON **ret_result, Error *err) {
        SCOPED(json_free) cJSON *json = cJSON_CreateObject();
        cJSON *names;
        int r;

        (void) params;
        json_add_text(json, "version", PACKAGE_VERSION);
        json_add_text(json, "protocol", PROTOCOL_VERSION);
        json_add_bool(json, "private", front->info.private_call);
        add_socket(front, json);
        add_caller(call, json);
        add_host(front, json);
        add_bounds(json);
        r = add_quotas(front, call_peer(call)->uid, json, err);
        if (r < 0)
                return r;
        add_seen(front, call, json);
        json_add_text(json, "receipt_key", notary_key(front->notary));
        json_add_text(json, "receipt_fault", notary_fault(front->notary));
        names = json_add_array(json, "methods");
        for (unsigned i = 0; i < methods_count(front->methods); i++)
                json_push_text(names, methods_name(front->methods, i));
        if (!names)
                return error_set(err, -ENOMEM, "describe the supervisor");
        *ret_result = TAKE_PTR(json);
        return 0;
}

/* ---- rpc.discover -------------------------------------------------------------------------------- */

static int run_discover(Front *front, Call *call, const cJSON *params, cJSON **ret_result,
                        Error *err) {
        (void) front;
        (void) call;
        (void) params;
        return json_parse(protocol_document, strlen(protocol_document), 0, ret_result, err);
}

const MethodRow own_methods[] = {
        { "warder.info", run_info },
        { "rpc.discover", run_discover },
        { NULL, NULL },
};
