/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The commands of QMP, each a few lines between JSON and vmm/machine.h. The table at the end says
 * what there is; what arguments hold, beyond being there and being strings, is checked by the
 * machine, which checks -device the same way.
 */

#include "vmm/commands.h"

#include "vmm/events.h"
#include "vmm/query-pci.h"
#include "vmm/query-slots.h"

#include <string.h>

#define PERIPHERAL_PATH "/machine/peripheral/"

struct HbCommands {
	HbMachine *machine;
	HbQmp *qmp;
};

static JsonNode *wrap_object(JsonObject *object)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, object);
	return node;
}

static JsonNode *wrap_array(JsonArray *array)
{
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);

	json_node_take_array(node, array);
	return node;
}

static HbMachine *get_machine(gpointer opaque)
{
	return ((HbCommands *)opaque)->machine;
}

static void run_query_status(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	HbRunState state = hb_machine_get_run_state(get_machine(opaque));
	JsonObject *status = json_object_new();

	json_object_set_string_member(status, "status", hb_run_state_to_str(state));
	json_object_set_boolean_member(status, "singlestep", FALSE);
	json_object_set_boolean_member(status, "running", state == HB_RUN_STATE_RUNNING);
	hb_qmp_call_return(call, wrap_object(status));
}

static void run_query_name(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	const char *name = hb_machine_get_name(get_machine(opaque));
	JsonObject *info = json_object_new();

	if (name)
		json_object_set_string_member(info, "name", name);
	hb_qmp_call_return(call, wrap_object(info));
}

static void run_query_uuid(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	JsonObject *info = json_object_new();

	json_object_set_string_member(info, "UUID", hb_machine_get_uuid(get_machine(opaque)));
	hb_qmp_call_return(call, wrap_object(info));
}

static void run_query_cpus_fast(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	HbMachine *machine = get_machine(opaque);
	JsonArray *cpus = json_array_new();

	for (guint i = 0; i < hb_machine_get_n_cpus(machine); i++) {
		g_autofree char *path = g_strdup_printf("/machine/unattached/device[%u]", i);
		JsonObject *cpu = json_object_new();

		json_object_set_int_member(cpu, "thread-id",
					   hb_machine_get_cpu_thread_id(machine, i));
		json_object_set_int_member(cpu, "cpu-index", i);
		json_object_set_string_member(cpu, "qom-path", path);
		json_object_set_string_member(cpu, "target", "x86_64");
		json_array_add_object_element(cpus, cpu);
	}
	hb_qmp_call_return(call, wrap_array(cpus));
}

/* One function that query-pci found, and what the machine says about it. */
typedef struct Inquiry {
	const HbPciFunction *function;
	HbQueryPciKnown *known;
} Inquiry;

static void match_device(const HbMachineDevice *device, gpointer data)
{
	const Inquiry *inquiry = data;

	if (device->function && device->function == inquiry->function) {
		inquiry->known->id = device->id;
		inquiry->known->bar_sizes = device->bar_sizes;
	}
}

static void describe_function(guint8 bus, guint8 devfn, HbQueryPciKnown *known, gpointer opaque)
{
	HbMachine *machine = opaque;
	Inquiry inquiry = {
		.function = hb_host_bridge_find(hb_machine_get_bridge(machine), bus, devfn),
		.known = known,
	};

	hb_machine_foreach_device(machine, match_device, &inquiry);
}

static guint32 read_config(guint8 bus, guint8 devfn, guint offset, guint size, gpointer opaque)
{
	return hb_host_bridge_config_read(hb_machine_get_bridge(opaque), bus, devfn, offset, size);
}

static void run_query_pci(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	static const HbQueryPciSource source = { .read = read_config,
						 .describe = describe_function };

	hb_qmp_call_return(call, hb_query_pci_list(&source, get_machine(opaque)));
}

static void run_query_slots(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	hb_qmp_call_return(call, hb_query_slots_list(get_machine(opaque)));
}

static void run_query_counters(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	HbVfioCounters counters;
	JsonObject *info = json_object_new();

	hb_machine_get_counters(get_machine(opaque), &counters);
	json_object_set_int_member(info, "route-commits", counters.route_commits);
	json_object_set_int_member(info, "route-connections", counters.route_connections);
	json_object_set_int_member(info, "vector-calls", counters.vector_calls);
	json_object_set_int_member(info, "notifier-calls", counters.notifier_calls);
	hb_qmp_call_return(call, wrap_object(info));
}

static void on_device_added(const GError *error, gpointer data)
{
	HbQmpCall *call = data;

	if (error)
		hb_qmp_call_error(call, HB_QMP_GENERIC_ERROR, "%s", error->message);
	else
		hb_qmp_call_return(call, NULL);
}

static void run_device_add(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	hb_machine_device_add(get_machine(opaque), arguments, on_device_added, call);
}

/* The reply of what takes a drive away. */
static void answer_removal(HbQmpCall *call, gboolean accepted, const GError *error)
{
	if (accepted)
		hb_qmp_call_return(call, NULL);
	else
		hb_qmp_call_error(call,
				  g_error_matches(error, HB_ERROR, HB_ERROR_NOT_FOUND)
					  ? HB_QMP_DEVICE_NOT_FOUND
					  : HB_QMP_GENERIC_ERROR,
				  "%s", error->message);
}

static const char *get_id(JsonObject *arguments)
{
	const char *id = json_object_get_string_member(arguments, "id");

	return id + (g_str_has_prefix(id, PERIPHERAL_PATH) ? strlen(PERIPHERAL_PATH) : 0);
}

static void run_device_del(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	g_autoptr(GError) error = NULL;
	gboolean accepted =
		hb_machine_device_del(get_machine(opaque), get_id(arguments), NULL, &error);

	answer_removal(call, accepted, error);
}

static void run_pull(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	g_autoptr(GError) error = NULL;
	gboolean accepted = hb_machine_device_pull(get_machine(opaque), get_id(arguments), &error);

	answer_removal(call, accepted, error);
}

static gboolean holds(JsonNode *node, GType type)
{
	return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type;
}

/* NULL if the arguments of x-hotbay-remove are what it takes. */
static char *read_removal(JsonObject *arguments, HbRemoval *removal)
{
	static const struct {
		const char *name;
		const char *expected;
		GType type;
	} parameters[] = {
		{ "id", "string", G_TYPE_STRING },
		{ "timeout-ms", "integer", G_TYPE_INT64 },
		{ "then-pull", "boolean", G_TYPE_BOOLEAN },
	};
	guint known = 0;
	gint64 timeout;

	for (guint i = 0; i < G_N_ELEMENTS(parameters); i++) {
		JsonNode *node = json_object_get_member(arguments, parameters[i].name);

		known += node != NULL;
		if (i < 2 && !node)
			return g_strdup_printf("Parameter '%s' is missing", parameters[i].name);
		if (node && !holds(node, parameters[i].type))
			return g_strdup_printf("Invalid parameter type for '%s', expected: %s",
					       parameters[i].name, parameters[i].expected);
	}
	if (json_object_get_size(arguments) != known)
		return g_strdup("x-hotbay-remove takes 'id', 'timeout-ms' and 'then-pull' only");
	timeout = json_object_get_int_member(arguments, "timeout-ms");
	removal->then_pull =
		json_object_get_boolean_member_with_default(arguments, "then-pull", FALSE);
	if (timeout < removal->then_pull || timeout > HB_OPTIONS_MAX_TIMEOUT_MS)
		return g_strdup_printf("Parameter 'timeout-ms' expects %s to %d",
				       removal->then_pull ? "1 (with 'then-pull')" : "0",
				       HB_OPTIONS_MAX_TIMEOUT_MS);
	removal->timeout_ms = (guint)timeout;
	return NULL;
}

static void run_remove(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	g_autoptr(GError) error = NULL;
	HbRemoval removal = { 0 };
	g_autofree char *blemish = read_removal(arguments, &removal);

	if (blemish)
		hb_qmp_call_error(call, HB_QMP_GENERIC_ERROR, "%s", blemish);
	else
		answer_removal(call,
			       hb_machine_device_del(get_machine(opaque), get_id(arguments),
						     &removal, &error),
			       error);
}

static void run_stop(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	hb_machine_stop(get_machine(opaque));
	hb_qmp_call_return(call, NULL);
}

static void run_cont(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	g_autoptr(GError) error = NULL;

	if (hb_machine_cont(get_machine(opaque), &error))
		hb_qmp_call_return(call, NULL);
	else
		hb_qmp_call_error(call, HB_QMP_GENERIC_ERROR, "%s", error->message);
}

static void run_system_powerdown(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	hb_machine_powerdown(get_machine(opaque));
	hb_qmp_call_return(call, NULL);
}

static void run_system_reset(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	hb_machine_reset(get_machine(opaque), HB_CAUSE_HOST_QMP_SYSTEM_RESET);
	hb_qmp_call_return(call, NULL);
}

static void run_quit(HbQmpCall *call, JsonObject *arguments, gpointer opaque)
{
	/* As with QEMU the reply comes before SHUTDOWN. */
	hb_qmp_call_return(call, NULL);
	hb_machine_quit(get_machine(opaque), HB_CAUSE_HOST_QMP_QUIT);
}

static const char *const only_id[] = { "id", NULL };

static const HbQmpCommand table[] = {
	{ .name = "query-status", .run = run_query_status },
	{ .name = "query-name", .run = run_query_name },
	{ .name = "query-uuid", .run = run_query_uuid },
	{ .name = "query-cpus-fast", .run = run_query_cpus_fast },
	{ .name = "query-pci", .run = run_query_pci },
	{ .name = "x-hotbay-query-counters", .run = run_query_counters },
	{ .name = "x-hotbay-query-slots", .run = run_query_slots },
	{ .name = "x-hotbay-remove", .run = run_remove, .any = TRUE },
	{ .name = "x-hotbay-pull", .run = run_pull, .strings = only_id },
	{ .name = "device_add", .run = run_device_add, .any = TRUE },
	{ .name = "device_del", .run = run_device_del, .strings = only_id },
	{ .name = "stop", .run = run_stop },
	{ .name = "cont", .run = run_cont },
	{ .name = "system_powerdown", .run = run_system_powerdown },
	{ .name = "system_reset", .run = run_system_reset },
	{ .name = "quit", .run = run_quit },
};

static void on_machine_event(HbMachine *machine, const HbMachineEvent *event, gpointer data)
{
	HbCommands *commands = data;

	hb_events_emit(commands->qmp, event);
}

HbCommands *hb_commands_create(HbMachine *machine)
{
	HbCommands *commands = g_new0(HbCommands, 1);

	commands->machine = machine;
	commands->qmp = hb_qmp_create(NULL, table, G_N_ELEMENTS(table), commands);
	hb_machine_add_listener(machine, on_machine_event, commands);
	return commands;
}

void hb_commands_destroy(HbCommands *commands)
{
	if (!commands)
		return;
	hb_machine_remove_listener(commands->machine, on_machine_event, commands);
	hb_qmp_destroy(commands->qmp);
	g_free(commands);
}

HbQmp *hb_commands_get_qmp(HbCommands *commands)
{
	return commands->qmp;
}
