/**
 * Which ports the mesh calls: 80, 443 and those from 1024 up, except those of services that are no web servers. Such a service could take
 * a request for commands of its own, and many give full control to whoever reaches them. The list is of the ports that services
 * have by default; what runs elsewhere is not known. Web applications are often on any port, so that a list of the allowed ones would
 * refuse honest receivers. Ports from 32768 up are left out unless a service is known for one: systems give them to any program.
 */
const REFUSED: readonly (readonly [service: string, ports: readonly number[]])[] = [
  // The ports from 1024 up that browsers refuse, too (Fetch standard, "bad port"); those below are refused altogether.
  ["H.323", [1719, 1720]],
  ["PPTP", [1723]],
  ["NFS", [2049, 4045]],
  ["Apple EPPC", [3659]],
  ["ManageSieve", [4190]],
  ["SIP", [5060, 5061]],
  ["X11", range(6000, 6063)],
  ["SANE", [6566]],
  ["IRC", [...range(6660, 6669), 6679, 6697]],
  ["Amanda", [10080]],
  // Databases and caches.
  ["SQL Server", [1433, 1434]],
  ["Oracle", [1521, 1526, 2483, 2484]],
  ["Firebird", [3050]],
  ["MySQL", [3306]],
  ["PostgreSQL", [5432, 6432]],
  ["CockroachDB", [26257]],
  ["MongoDB", [27017, 27018, 27019, 28017]],
  ["Cassandra", [7199, 9042, 9142, 9160]],
  ["Redis", [6379, 6380, 16379, 26379]],
  ["memcached", [11211, 11214, 11215]],
  ["Couchbase", [11207, 11210]],
  ["CouchDB", [5984, 6984]],
  ["Elasticsearch", [9200, 9300]],
  ["InfluxDB", [8086, 8088]],
  ["Neo4j", [7473, 7474, 7687]],
  ["RethinkDB", [28015, 29015]],
  ["ArangoDB", [8529]],
  // Brokers and queues.
  ["AMQP", [5671, 5672]],
  ["RabbitMQ", [4369, 15672, 25672]],
  ["MQTT", [1883, 8883]],
  ["Kafka", [9092, 9093, 9094]],
  ["ZooKeeper", [2181, 2888, 3888]],
  ["NATS", [4222, 6222, 8222]],
  ["STOMP", [61613, 61614, 61616]],
  ["IBM MQ", [1414]],
  ["NSQ", [4150, 4151, 4160, 4161]],
  ["beanstalkd", [11300]],
  // What controls machines, containers and networks.
  ["Docker", [2375, 2376, 2377, 4243]],
  ["etcd", [2379, 2380, 4001]],
  ["Kubernetes", [6443, 10248, 10249, 10250, 10251, 10252, 10255, 10256, 10257, 10259]],
  ["Consul", [8300, 8301, 8302, 8500, 8501, 8502, 8600]],
  ["Vault", [8200, 8201]],
  ["Nomad", [4646, 4647, 4648]],
  ["Salt", [4505, 4506]],
  ["Remote Desktop", [3389]],
  ["VNC", range(5900, 5910)],
  ["WinRM", [5985, 5986]],
  ["Android Debug Bridge", [5555]],
  ["Java RMI", [1098, 1099]],
  ["AJP", [8009]],
  ["a proxy", [1080, 3128]],
  ["LDAP", [3268, 3269]],
  ["RADIUS", [1812, 1813]],
  ["OpenVPN", [1194]],
  ["iSCSI", [3260]],
  ["SSH", [2222]],
  ["SMTP", [1025, 2525]],
  ["XMPP", [5222, 5269]],
  ["Asterisk", [5038]],
  ["Zabbix", [10050, 10051]],
  ["Graphite", [2003, 2004]],
  ["StatsD", [8125]],
  ["syslog", [6514]],
  ["Fluentd", [24224]],
  ["Git", [9418]],
  ["Subversion", [3690]],
];

const SERVICES: ReadonlyMap<number, string> = new Map(
  REFUSED.flatMap(([service, ports]) => ports.map((port) => [port, service] as const)),
);

/** Why a port of a URL (empty: the scheme's own) is not called; null if it is. */
export function portFault(text: string): string | null {
  if (text === "" || text === "80" || text === "443") return null;
  const port = Number(text);
  if (port < 1_024) return "use 80, 443, or one from 1024 up";
  const service = SERVICES.get(port);
  return service === undefined ? null : `it is the port of ${service}; use another one`;
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
}
