/*
 * filter-evidence: see filter-evidence.h.
 */
#include "supervisor/front/commands/filter-evidence.h"

#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/owned.h"

#define X32_BIT 0x40000000

static const struct Arch {
        uint32_t audit;
        bool x32;
        const char *name;
        uint32_t library; /* libseccomp's word for it */
} arches[] = {
        { AUDIT_ARCH_X86_64, false, "x86_64", SCMP_ARCH_X86_64 },
        { AUDIT_ARCH_X86_64, true, "x32", SCMP_ARCH_X32 },
        { AUDIT_ARCH_I386, false, "i386", SCMP_ARCH_X86 },
        { AUDIT_ARCH_AARCH64, false, "aarch64", SCMP_ARCH_AARCH64 },
        { AUDIT_ARCH_ARM, false, "arm", SCMP_ARCH_ARM },
};

static const struct Arch *find_arch(const AuditRecord *record) {
        bool x32 = record->arch == AUDIT_ARCH_X86_64 && record->call >= X32_BIT;

        for (unsigned i = 0; i < ELEMENTS(arches); i++)
                if (arches[i].audit == record->arch && arches[i].x32 == x32)
                        return &arches[i];
        return NULL;
}

cJSON *filter_evidence(const AuditRecord *record) {
        const struct Arch *arch = find_arch(record);
        bool native = arch && !arch->x32 && arch->library == seccomp_arch_native();
        cJSON *json = cJSON_CreateObject();
        autofree char *call =
                arch ? seccomp_syscall_resolve_num_arch(arch->library, record->call) : NULL;
        char number[16];

        (void) snprintf(number, sizeof number, "0x%08x", record->arch);
        if (call)
                json_add_text(json, "call", call);
        else
                json_add_consume(json, "call", cJSON_CreateNull());
        json_add_consume(json, "number", cJSON_CreateNumber(record->call));
        json_add_text(json, "arch", arch ? arch->name : number);
        json_add_text(json, "filter", native ? "policy" : "floor");
        return json;
}
