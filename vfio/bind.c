/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * The passthrough switch: drives from the host's own driver to vfio-pci and back.
 *
 *     1 lock       one switch at a time on a host, by a lock on sysfs that dies with its owner
 *       settle     a drive whose driver is still starting it is waited for
 *     2 inspect    all drives: are they there, and is there an obstacle that the flags do not lift?
 *     3 claim      all their block devices, or VFIO groups, exclusively: from here on nobody can
 *                  mount one, and who has one in a way that 2 cannot see is found out
 *     4 bring      drive by drive: driver_override, unbind, bind, and a look at who drives it now;
 *                  then the rule for udev
 *
 * Nothing changes before 4. What a drive was like stands in its State; when a step of 4 fails, all
 * drives that were touched are brought back to theirs. Doing and undoing are the same function,
 * bring(): it looks at what there is and does what is missing.
 *
 * A drive's claims end with its unbinding: a block device that is still open would keep its name,
 * and the drive that comes back to the nvme driver would get another one. For the same reason
 * drives go and come in the order of their addresses, in which the kernel has numbered them at
 * boot.
 */

#include "vfio/bind.h"

#include "vfio/bind-rule.h"
#include "vfio/bind-settle.h"
#include "vfio/host-files.h"

#include <hotbay/error.h>
#include <hotbay/inventory.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
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
	GArray *claims;	      /* of Claim */
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

static int lock_bus(const HbBindHost *host, HbBindFlags flags, GError **error)
{
	g_autofree char *path = hb_host_files_path(host->root, "sys/bus/pci");
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int operation = flags & HB_BIND_WAIT ? LOCK_EX : LOCK_EX | LOCK_NB;

	if (fd >= 0 && flock(fd, operation) == 0)
		return fd;
	if (errno == EWOULDBLOCK)
		g_set_error(error, HB_ERROR, HB_ERROR_BUSY,
			    "another passthrough switch is under way on this host: wait for it");
	else
		g_set_error(error, HB_ERROR, HB_ERROR_HOST, "locking %s: %s", path,
			    g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static gboolean settle(const Switch *change, GError **error)
{
	for (const char *const *address = change->request->addresses; *address; address++)
		if (!hb_bind_settle(change->host->root, *address, error))
			return FALSE;
	return TRUE;
}

/* ---- 2 inspect ---- */

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

static HbError get_code(HbObstacleKind kind)
{
	switch (kind) {
	case HB_OBSTACLE_VM:
	case HB_OBSTACLE_DATA:
	case HB_OBSTACLE_OPEN:
	case HB_OBSTACLE_FUNCTIONS:
		return HB_ERROR_BUSY;
	default:
		return HB_ERROR_UNSUPPORTED;
	}
}

static gboolean refuse(const HbHostDrive *drive, const HbObstacle *obstacle, GError **error)
{
	g_set_error(error, HB_ERROR, get_code(obstacle->kind), "%s: %s", drive->address,
		    obstacle->text);
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
	if (change->request->flags & HB_BIND_FROM_VM)
		return TRUE;
	for (guint i = 0; i < drive->n_obstacles; i++)
		if (drive->obstacles[i].kind == HB_OBSTACLE_VM)
			return refuse(drive, &drive->obstacles[i], error);
	return TRUE;
}

static const char *get_address(const Switch *change, guint index)
{
	return g_ptr_array_index(change->addresses, index);
}

static gboolean inspect(Switch *change, guint index, GError **error)
{
	const char *address = get_address(change, index);
	const HbHostDrive *drive = hb_inventory_find_drive(change->inventory, address);

	if (!drive) {
		g_set_error(error, HB_ERROR, HB_ERROR_NOT_FOUND,
			    "%s: no NVMe drive of this host; `hotbayctl drives` lists them",
			    address);
		return FALSE;
	}
	if (index > 0 && strcmp(address, get_address(change, index - 1)) == 0) {
		g_set_error(error, HB_ERROR, HB_ERROR_INVALID, "%s: asked for twice", address);
		return FALSE;
	}
	change->before[index].driver = g_strdup(drive->driver);
	change->before[index].override = g_strdup(drive->override);
	change->before[index].rule = hb_bind_rule_read(change->host->root, address);
	return change->to_vfio ? inspect_for_vfio(change, drive, error)
			       : inspect_for_kernel(change, drive, error);
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

	if (change->to_vfio || g_strcmp0(drive->driver, VFIO) != 0 || drive->group < 0 ||
	    change->request->flags & HB_BIND_FROM_VM)
		return TRUE;
	if (!claim_node(change, address, node, error))
		return FALSE;
	release_claims(change, address);
	return TRUE;
}

/* ---- 4 bring ---- */

static char *get_driver(const Switch *change, const char *address)
{
	return hb_host_files_link_name(change->host->root, PCI_DEVICE "/driver", address);
}

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
	g_autofree char *now = hb_host_files_read(root, PCI_DEVICE "/driver_override", address);
	const char *current = now && now[0] && strcmp(now, "(null)") != 0 ? now : NULL;

	if (g_strcmp0(current, wanted) == 0)
		return TRUE;
	/* an empty line is how it is taken away */
	return put(change, address, wanted ? wanted : "\n",
		   hb_host_files_path(root, PCI_DEVICE "/driver_override", address), error);
}

static gboolean unbind(const Switch *change, const char *address, GError **error)
{
	gboolean done;

	tell(change, address, "unbind");
	done = put(change, address, address,
		   hb_host_files_path(change->host->root, PCI_DEVICE "/driver/unbind", address),
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
	if (driver && !unbind(change, address, error))
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

	for (guint i = 0; i < change->addresses->len; i++)
		if (!inspect(change, i, error))
			return FALSE;
	for (guint i = 0; i < change->addresses->len; i++)
		if (!claim_drive(change, i, error) || !probe_group(change, i, error))
			return FALSE;
	return !change->to_vfio || hb_host_files_exist(host->root, "sys/bus/pci/drivers/" VFIO) ||
	       host->ops->load(host->opaque, VFIO, error);
}

static void undo(const Switch *change, guint last, GError *reason, GError **error)
{
	g_autoptr(GString) problems = g_string_new(NULL);

	for (guint i = 0; i <= last; i++)
		restore(change, i, problems);
	g_set_error(error, reason->domain, reason->code, "%s%s", reason->message, problems->str);
	g_error_free(reason);
}

static gboolean act(Switch *change, GError **error)
{
	GError *reason = NULL;

	for (guint i = 0; i < change->addresses->len; i++) {
		if (forward(change, i, &reason))
			continue;
		undo(change, i, reason, error);
		return FALSE;
	}
	return TRUE;
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
}

static void finish(Switch *change, int lock)
{
	for (guint i = 0; i < change->addresses->len; i++) {
		clear_state(&change->before[i]);
		release_claims(change, get_address(change, i));
	}
	g_free(change->before);
	g_array_unref(change->claims);
	g_ptr_array_unref(change->addresses);
	hb_inventory_free(change->inventory);
	close(lock);
}

/* It goes into a rule of udev, which splits words at blanks and knows quotes of its own. */
static gboolean check_program(const HbBindRequest *request, GError **error)
{
	const char *program = request->program;

	if (program && g_path_is_absolute(program) &&
	    strspn(program, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "/._+-") == strlen(program))
		return TRUE;
	g_set_error(
		error, HB_ERROR, HB_ERROR_INVALID,
		"a passthrough that outlasts a boot needs the absolute path of the program that "
		"udev is to run, without blanks and special characters, and not \"%s\"",
		program ? program : "");
	return FALSE;
}

gboolean hb_bind_switch(const HbBindHost *host, const HbBindRequest *request, gboolean to_vfio,
			GError **error)
{
	Switch change = { .host = host, .request = request, .to_vfio = to_vfio };
	gboolean done = FALSE;

	if (to_vfio && request->flags & HB_BIND_PERSIST && !check_program(request, error))
		return FALSE;
	int lock = lock_bus(host, request->flags, error);
	if (lock < 0)
		return FALSE;
	begin(&change);
	if (settle(&change, error))
		change.inventory = hb_inventory_take(host->root[0] ? host->root : NULL, error);
	if (change.inventory)
		done = prepare(&change, error) && act(&change, error);
	finish(&change, lock);
	return done;
}

static const HbBindHost this_host = { .root = "", .ops = &hb_bind_kernel_ops };

gboolean hb_bind_to_vfio(const HbBindRequest *request, GError **error)
{
	return hb_bind_switch(&this_host, request, TRUE, error);
}

gboolean hb_bind_to_kernel(const HbBindRequest *request, GError **error)
{
	return hb_bind_switch(&this_host, request, FALSE, error);
}
