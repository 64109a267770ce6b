/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The passthrough switch: drives from the host's own driver to vfio-pci and back.
 *
 *     1 lock       the drives: one switch at a time has a drive
 *       ask        with HB_BIND_FROM_VM: all that vfio-pci has are unbound from it, which ends when
 *                  the guests have let go
 *       lock       the bus: one switch at a time on a host, and none that waits for a guest
 *       settle     a drive whose driver is still starting it is waited for
 *     2 inspect    all drives: are they there, and is there an obstacle that the flags do not lift?
 *     3 claim      all their block devices, or VFIO groups, exclusively: from here on nobody can
 *                  mount one, and who has one in a way that 2 cannot see is found out
 *     4 bring      drive by drive: driver_override, unbind, bind, and a look at who drives it now;
 *                  then the rule for udev
 *
 * Nothing changes before 4, but for what is asked of a guest. What a drive was like stands in its
 * State; when something fails, all drives that were touched are brought back to theirs. Doing and
 * undoing are the same function, bring(): it looks at what there is and does what is missing.
 *
 * A drive's claims end with its unbinding: a block device that is still open would keep its name,
 * and the drive that comes back to the nvme driver would get another one. For the same reason
 * drives go and come in the order of their addresses, in which the kernel has numbered them at
 * boot.
 *
 * While an unbind waits for a guest, the kernel holds the lock of that device, and whoever reads
 * its driver_override waits too (drivers/pci/pci-sysfs.c, Linux 6.1). So that file is read of a
 * drive whose lock is held only, and never by a look at the whole host. The link to the driver is
 * gone by then.
 */

#include "vfio/bind.h"

#include "vfio/bind-lock.h"
#include "vfio/bind-rule.h"
#include "vfio/bind-settle.h"
#include "vfio/host-files.h"
#include "vfio/obstacles.h"

#include <hotbay/error.h>
#include <hotbay/inventory.h>

#include <string.h>
#include <unistd.h>

#define PCI_DEVICE "sys/bus/pci/devices/%s"
#define VFIO	   "vfio-pci"

/* What a drive is to be like, or was. */
typedef struct State {
	char *driver;	/* NULL: nobody */
	char *override; /* NULL: none */
	char *rule;	/* NULL: none */
} State;

/* A device node that is held for a drive. */
typedef struct Claim {
	const char *address;
	int fd;
} Claim;

typedef struct Switch {
	const HbBindHost *host;
	const HbBindRequest *request;
	gboolean to_vfio;
	HbInventory *inventory;
	State *before;	      /* of each address */
	GPtrArray *addresses; /* of the request, in rising order; borrowed */
	guint n_touched;      /* of them: what is to be undone */
	GArray *claims;	      /* of Claim */
	GArray *locks;	      /* of int: the drives' */
	int bus;	      /* its lock; -1: not held */
} Switch;

static void clear_state(State *state)
{
	g_free(state->driver);
	g_free(state->override);
	g_free(state->rule);
}

static void tell(const Switch *change, const char *address, const char *step)
{
	if (change->request->progress)
		change->request->progress(address, step, change->request->data);
}

/* ---- 1 lock ---- */

static const char *get_address(const Switch *change, guint index)
{
	return g_ptr_array_index(change->addresses, index);
}

/* They are sorted. One's second lock would be in the way of its first. */
static gboolean check_once(const Switch *change, GError **error)
{
	for (guint i = 1; i < change->addresses->len; i++) {
		const char *address = get_address(change, i);

		if (strcmp(address, get_address(change, i - 1)) != 0)
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID, "%s: asked for twice", address);
		return FALSE;
	}
	return TRUE;
}

static gboolean lock_drives(Switch *change, GError **error)
{
	for (guint i = 0; i < change->addresses->len; i++) {
		GError *problem = NULL;
		int fd = hb_bind_lock_drive(change->host->root, get_address(change, i),
					    change->request->flags & HB_BIND_WAIT, &problem);

		if (fd >= 0)
			g_array_append_val(change->locks, fd);
		if (problem) {
			g_propagate_error(error, problem);
			return FALSE;
		}
	}
	return TRUE;
}

/* Whose guest has let go already does not give up for another's moment. */
static gboolean lock_bus(Switch *change, GError **error)
{
	gboolean wait = change->n_touched > 0 || change->request->flags & HB_BIND_WAIT;

	change->bus = hb_bind_lock_bus(change->host->root, wait, error);
	return change->bus >= 0;
}

static gboolean settle(const Switch *change, GError **error)
{
	for (const char *const *address = change->request->addresses; *address; address++)
		if (!hb_bind_settle(change->host->root, *address, error))
			return FALSE;
	return TRUE;
}

/* ---- 2 inspect ---- */

static char *get_driver(const Switch *change, const char *address)
{
	return hb_host_files_link_name(change->host->root, PCI_DEVICE "/driver", address);
}

/* NULL: none */
static char *get_override(const Switch *change, const char *address)
{
	g_autofree char *text =
		hb_host_files_read(change->host->root, PCI_DEVICE "/driver_override", address);

	return text && text[0] && strcmp(text, "(null)") != 0 ? g_steal_pointer(&text) : NULL;
}

/* The driver last: who reads driver_override waits for the end of a probe. */
static void note_states(Switch *change)
{
	for (guint i = 0; i < change->addresses->len; i++) {
		const char *address = get_address(change, i);
		State *state = &change->before[i];

		state->override = get_override(change, address);
		state->driver = get_driver(change, address);
		state->rule = hb_bind_rule_read(change->host->root, address);
	}
}

static gboolean is_lifted(const Switch *change, const HbObstacle *obstacle)
{
	HbBindFlags flags = change->request->flags;
	HbBindFlags both = HB_BIND_FORCE | HB_BIND_LOSE_DATA;

	switch (obstacle->kind) {
	case HB_OBSTACLE_OPEN:
		return flags & HB_BIND_FORCE;
	case HB_OBSTACLE_DATA:
		return (flags & both) == both;
	case HB_OBSTACLE_GROUP: /* inspect_group() knows who goes along */
		return TRUE;
	default:
		return FALSE;
	}
}

static gboolean refuse(const HbHostDrive *drive, const HbObstacle *obstacle, GError **error)
{
	g_set_error(error, HB_ERROR, hb_obstacle_kind_to_error(obstacle->kind), "%s: %s",
		    drive->address, obstacle->text);
	return FALSE;
}

/* Two drives of one group can go together. */
static gboolean inspect_group(const Switch *change, const HbHostDrive *drive, GError **error)
{
	for (guint i = 0; drive->foreign[i]; i++) {
		if (g_strv_contains(change->request->addresses, drive->foreign[i]))
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "%s: it shares IOMMU group %d with %s, which the host uses: move the "
			    "drive to a slot with a group of its own, or pass both through in one "
			    "command if that is an NVMe drive too",
			    drive->address, drive->group, drive->foreign[i]);
		return FALSE;
	}
	return TRUE;
}

static gboolean inspect_for_vfio(const Switch *change, const HbHostDrive *drive, GError **error)
{
	if (g_strcmp0(drive->driver, VFIO) == 0)
		return TRUE;
	for (guint i = 0; i < drive->n_obstacles; i++)
		if (!is_lifted(change, &drive->obstacles[i]))
			return refuse(drive, &drive->obstacles[i], error);
	return inspect_group(change, drive, error);
}

static gboolean inspect_for_kernel(const Switch *change, const HbHostDrive *drive, GError **error)
{
	/* a VM may close its group a moment after the drive */
	if (change->request->flags & HB_BIND_FROM_VM && g_strcmp0(drive->driver, VFIO) != 0)
		return TRUE;
	for (guint i = 0; i < drive->n_obstacles; i++)
		if (drive->obstacles[i].kind == HB_OBSTACLE_VM)
			return refuse(drive, &drive->obstacles[i], error);
	return TRUE;
}

/* While a VM has one drive of a group, the host's driver gets none of it. */
static gboolean inspect_for_ask(const Switch *change, const HbHostDrive *drive, GError **error)
{
	g_autoptr(GPtrArray) members = hb_host_files_list(
		change->host->root, "sys/kernel/iommu_groups/%d/devices", drive->group);

	if (g_strcmp0(drive->driver, VFIO) != 0)
		return TRUE;
	for (guint i = 0; i < members->len; i++) {
		const char *member = g_ptr_array_index(members, i);
		g_autofree char *driver = get_driver(change, member);

		if (g_strcmp0(driver, VFIO) != 0 ||
		    g_strv_contains(change->request->addresses, member))
			continue;
		g_set_error(error, HB_ERROR, HB_ERROR_UNSUPPORTED,
			    "%s: it shares IOMMU group %d with %s, which vfio-pci drives too: give "
			    "both back in one command, or first unbind that if it is no NVMe drive",
			    drive->address, drive->group, member);
		return FALSE;
	}
	return TRUE;
}

typedef gboolean (*Inspect)(const Switch *change, const HbHostDrive *drive, GError **error);

static gboolean look(Switch *change, Inspect inspect, GError **error)
{
	const char *root = change->host->root;

	hb_inventory_free(change->inventory);
	change->inventory = hb_inventory_take(root[0] ? root : NULL, error);
	for (guint i = 0; change->inventory && i < change->addresses->len; i++) {
		const char *address = get_address(change, i);
		const HbHostDrive *drive = hb_inventory_find_drive(change->inventory, address);

		if (!drive)
			g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
				    "%s: no NVMe drive of this host; `hotbayctl drives` lists them",
				    address);
		if (!drive || !inspect(change, drive, error))
			return FALSE;
	}
	return change->inventory != NULL;
}

/* ---- 3 claim ---- */

/* A node that is not there, as in a container without devices, cannot be claimed by anyone. */
static gboolean claim_node(Switch *change, const char *address, const char *node, GError **error)
{
	g_autofree char *path = hb_host_files_path(change->host->root, "%s", node);
	g_autoptr(GError) problem = NULL;

	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return TRUE;
	int fd = change->host->ops->claim(change->host->opaque, path, &problem);
	if (fd >= 0) {
		Claim claim = { .address = address, .fd = fd };

		g_array_append_val(change->claims, claim);
		return TRUE;
	}
	HbBindFlags both = HB_BIND_FORCE | HB_BIND_LOSE_DATA;
	if (g_error_matches(problem, HB_ERROR, HB_ERROR_BUSY) && change->to_vfio &&
	    (change->request->flags & both) == both)
		return TRUE;
	g_propagate_prefixed_error(error, g_steal_pointer(&problem), "%s: ", address);
	return FALSE;
}

static void release_claims(const Switch *change, const char *address)
{
	for (guint i = change->claims->len; i > 0; i--) {
		const Claim *claim = &g_array_index(change->claims, Claim, i - 1);

		if (strcmp(claim->address, address) != 0)
			continue;
		close(claim->fd);
		g_array_remove_index_fast(change->claims, i - 1);
	}
}

static gboolean claim_drive(Switch *change, guint index, GError **error)
{
	const char *address = get_address(change, index);
	const HbHostDrive *drive = hb_inventory_find_drive(change->inventory, address);

	for (guint i = 0; change->to_vfio && drive->namespaces[i]; i++) {
		g_autofree char *node = g_strdup_printf("dev/%s", drive->namespaces[i]);

		if (!claim_node(change, address, node, error))
			return FALSE;
	}
	return TRUE;
}

/* Only to find out whether a VM has it: an open group would be in the way of its own unbinding. */
static gboolean probe_group(Switch *change, guint index, GError **error)
{
	const char *address = get_address(change, index);
	const HbHostDrive *drive = hb_inventory_find_drive(change->inventory, address);
	g_autofree char *node = g_strdup_printf("dev/vfio/%d", drive->group);

	if (change->to_vfio || g_strcmp0(drive->driver, VFIO) != 0 || drive->group < 0)
		return TRUE;
	if (!claim_node(change, address, node, error))
		return FALSE;
	release_claims(change, address);
	return TRUE;
}

/* ---- 4 bring ---- */

static gboolean put(const Switch *change, const char *address, const char *text, char *path,
		    GError **error)
{
	g_autofree char *owned = path;

	if (change->host->ops->write(change->host->opaque, owned, text, error))
		return TRUE;
	g_prefix_error(error, "%s: ", address);
	return FALSE;
}

static gboolean bring_override(const Switch *change, const char *address, const char *wanted,
			       GError **error)
{
	const char *root = change->host->root;
	g_autofree char *current = get_override(change, address);

	if (g_strcmp0(current, wanted) == 0)
		return TRUE;
	/* an empty line is how it is taken away */
	return put(change, address, wanted ? wanted : "\n",
		   hb_host_files_path(root, PCI_DEVICE "/driver_override", address), error);
}

/* Of that driver alone: the kernel refuses if another has it meanwhile. */
static gboolean unbind(const Switch *change, const char *address, const char *driver,
		       GError **error)
{
	gboolean done;

	tell(change, address, "unbind");
	done = put(change, address, address,
		   hb_host_files_path(change->host->root, "sys/bus/pci/drivers/%s/unbind", driver),
		   error);
	release_claims(change, address);
	return done;
}

/* @driver "" : whichever of the kernel's drivers wants it */
static gboolean bind_driver(const Switch *change, const char *address, const char *driver,
			    GError **error)
{
	const char *root = change->host->root;
	char *path = driver[0] ? hb_host_files_path(root, "sys/bus/pci/drivers/%s/bind", driver)
			       : hb_host_files_path(root, "sys/bus/pci/drivers_probe");

	tell(change, address, "bind");
	return put(change, address, address, path, error);
}

static gboolean is_as_wanted(const char *driver, const char *wanted)
{
	if (wanted && !wanted[0])
		return driver && strcmp(driver, VFIO) != 0;
	return g_strcmp0(driver, wanted) == 0;
}

static gboolean bring_driver(const Switch *change, const char *address, const char *wanted,
			     GError **error)
{
	g_autofree char *driver = get_driver(change, address);

	if (is_as_wanted(driver, wanted))
		return TRUE;
	if (driver && !unbind(change, address, driver, error))
		return FALSE;
	if (wanted && !bind_driver(change, address, wanted, error))
		return FALSE;
	g_autofree char *result = get_driver(change, address);
	if (is_as_wanted(result, wanted))
		return TRUE;
	g_set_error(error, HB_ERROR, HB_ERROR_HOST,
		    "%s: %s drives it now, and not %s as it should; is that module loaded? The "
		    "kernel's log may say more",
		    address, result ? result : "nobody",
		    wanted && wanted[0] ? wanted : "the host's own driver");
	return FALSE;
}

static gboolean bring_rule(const Switch *change, const char *address, const char *wanted,
			   GError **error)
{
	g_autofree char *rule = hb_bind_rule_read(change->host->root, address);

	return g_strcmp0(rule, wanted) == 0 ||
	       hb_bind_rule_set(change->host->root, address, wanted, error);
}

static gboolean bring(const Switch *change, const char *address, const State *wanted,
		      GError **error)
{
	return bring_override(change, address, wanted->override, error) &&
	       bring_driver(change, address, wanted->driver, error) &&
	       bring_rule(change, address, wanted->rule, error);
}

static gboolean forward(const Switch *change, guint index, GError **error)
{
	const HbBindRequest *request = change->request;
	const char *address = get_address(change, index);
	State wanted = { .driver = (char *)(change->to_vfio ? VFIO : ""),
			 .override = (char *)(change->to_vfio ? VFIO : NULL) };
	g_autofree char *rule = NULL;

	if (change->to_vfio) {
		rule = request->flags & HB_BIND_PERSIST
			       ? hb_bind_rule_make(change->host->root, address, request->program)
			       : g_strdup(change->before[index].rule);
		wanted.rule = rule;
	}
	return bring(change, address, &wanted, error);
}

static void note_problem(GString *problems, GError *problem)
{
	if (!problem)
		return;
	g_string_append_printf(problems, "; undoing it failed too: %s", problem->message);
	g_error_free(problem);
}

/* Tries each part, whatever became of the others: as much as possible is to be as it was. */
static void restore(const Switch *change, guint index, GString *problems)
{
	const char *address = get_address(change, index);
	const State *before = &change->before[index];
	GError *problem = NULL;

	tell(change, address, "undo");
	bring_override(change, address, before->override, &problem);
	note_problem(problems, g_steal_pointer(&problem));
	bring_driver(change, address, before->driver, &problem);
	note_problem(problems, g_steal_pointer(&problem));
	bring_rule(change, address, before->rule, &problem);
	note_problem(problems, g_steal_pointer(&problem));
}

static gboolean prepare(Switch *change, GError **error)
{
	const HbBindHost *host = change->host;

	if (!look(change, change->to_vfio ? inspect_for_vfio : inspect_for_kernel, error))
		return FALSE;
	for (guint i = 0; i < change->addresses->len; i++)
		if (!claim_drive(change, i, error) || !probe_group(change, i, error))
			return FALSE;
	return !change->to_vfio || hb_host_files_exist(host->root, "sys/bus/pci/drivers/" VFIO) ||
	       host->ops->load(host->opaque, VFIO, error);
}

static gboolean act(Switch *change, GError **error)
{
	for (guint i = 0; i < change->addresses->len; i++) {
		change->n_touched = MAX(change->n_touched, i + 1);
		if (!forward(change, i, error))
			return FALSE;
	}
	return TRUE;
}

/* All at once, so that no group is a VM's any more when the first is bound. */
static gboolean ask(Switch *change, GError **error)
{
	if (!look(change, inspect_for_ask, error))
		return FALSE;
	for (guint i = 0; i < change->addresses->len; i++) {
		const char *address = get_address(change, i);

		change->n_touched = i + 1;
		if (g_strcmp0(change->before[i].driver, VFIO) == 0 &&
		    !unbind(change, address, VFIO, error))
			return FALSE;
	}
	return TRUE;
}

static void undo(Switch *change, GError *reason, GError **error)
{
	g_autoptr(GString) problems = g_string_new(NULL);

	if (change->n_touched > 0 && change->bus < 0)
		lock_bus(change, NULL);
	for (guint i = 0; i < change->n_touched; i++)
		restore(change, i, problems);
	g_set_error(error, reason->domain, reason->code, "%s%s", reason->message, problems->str);
	g_error_free(reason);
}

static gint compare_addresses(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void begin(Switch *change)
{
	change->addresses = g_ptr_array_new();
	for (const char *const *address = change->request->addresses; *address; address++)
		g_ptr_array_add(change->addresses, (gpointer)*address);
	g_ptr_array_sort(change->addresses, compare_addresses);
	change->before = g_new0(State, change->addresses->len + 1);
	change->claims = g_array_new(FALSE, FALSE, sizeof(Claim));
	change->locks = g_array_new(FALSE, FALSE, sizeof(int));
	change->bus = -1;
}

static void finish(Switch *change)
{
	for (guint i = 0; i < change->addresses->len; i++) {
		clear_state(&change->before[i]);
		release_claims(change, get_address(change, i));
	}
	g_free(change->before);
	g_array_unref(change->claims);
	g_ptr_array_unref(change->addresses);
	hb_inventory_free(change->inventory);
	if (change->bus >= 0)
		close(change->bus);
	for (guint i = 0; i < change->locks->len; i++)
		close(g_array_index(change->locks, int, i));
	g_array_unref(change->locks);
}

static gboolean run(Switch *change, GError **error)
{
	gboolean from_vm = !change->to_vfio && change->request->flags & HB_BIND_FROM_VM;

	if (!check_once(change, error) || !lock_drives(change, error))
		return FALSE;
	if (from_vm) {
		note_states(change);
		if (!ask(change, error))
			return FALSE;
	}
	if (!lock_bus(change, error) || !settle(change, error))
		return FALSE;
	if (!from_vm)
		note_states(change);
	return prepare(change, error) && act(change, error);
}

gboolean hb_bind_switch(const HbBindHost *host, const HbBindRequest *request, gboolean to_vfio,
			GError **error)
{
	Switch change = { .host = host, .request = request, .to_vfio = to_vfio };
	GError *reason = NULL;

	if (to_vfio && request->flags & HB_BIND_PERSIST &&
	    !hb_bind_rule_check(request->program, error))
		return FALSE;
	begin(&change);
	gboolean done = run(&change, &reason);
	if (!done)
		undo(&change, reason, error);
	finish(&change);
	return done;
}
