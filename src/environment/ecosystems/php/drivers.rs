//! PHP: Composer.

use crate::environment::ecosystems::manifest::{Ecosystem, Scan, each_line};
use crate::environment::readers::formats::json;

/// Manifests and drivers of PHP.
pub(crate) const PHP: Ecosystem = Ecosystem {
    scan,
    names: &[
        "atk4/data",
        "aura/sql",
        "cakephp/cakephp",
        "cakephp/database",
        "cakephp/migrations",
        "cakephp/orm",
        "catfan/medoo",
        "clickhouse/client",
        "codeigniter4/framework",
        "contao/core-bundle",
        "couchbase/couchbase",
        "craftcms/cms",
        "cycle/database",
        "cycle/orm",
        "drupal/core",
        "drupal/core-recommended",
        "elasticsearch/elasticsearch",
        "envms/fluentpdo",
        "ext-ibm-db2",
        "ext-mongodb",
        "ext-mysqli",
        "ext-mysqlnd",
        "ext-oci8",
        "ext-odbc",
        "ext-pdo",
        "ext-pgsql",
        "ext-redis",
        "ext-sqlite3",
        "ext-sqlsrv",
        "fuelphp/fuel",
        "gabordemooij/redbean",
        "illuminate/database",
        "illuminate/redis",
        "influxdata/influxdb-client-php",
        "jenssegers/mongodb",
        "johnpbloch/wordpress",
        "laminas/laminas-db",
        "laravel-zero/framework",
        "laravel/framework",
        "laravel/lumen-framework",
        "laudis/neo4j-php-client",
        "magento/framework",
        "medoo/medoo",
        "mongodb/laravel-mongodb",
        "mongodb/mongodb",
        "neos/flow",
        "nette/database",
        "october/rain",
        "opensearch-project/opensearch-php",
        "paragonie/easydb",
        "phalcon/devtools",
        "predis/predis",
        "prestashop/prestashop",
        "propel/propel",
        "propel/propel1",
        "robmorgan/phinx",
        "roots/wordpress",
        "rubix/db",
        "shopware/core",
        "silverstripe/framework",
        "smi2/phpclickhouse",
        "spatie/laravel-db-snapshots",
        "spiral/database",
        "sylius/sylius",
        "symfony/orm-pack",
        "typo3/cms-core",
        "yiisoft/db",
        "yiisoft/yii2",
    ],
    prefixes: &[
        "doctrine/dbal",
        "doctrine/doctrine",
        "doctrine/migrations",
        "doctrine/mongodb",
        "doctrine/orm",
        "ext-pdo-",
        "cycle/",
        "yiisoft/db-",
        "laminas/laminas-db",
        "drupal/core-",
        "symfony/doctrine",
        "spatie/laravel-multitenancy",
    ],
};

fn scan(file: &str) -> Option<Scan> {
    match file {
        "composer.json" => Some(composer_json),
        "composer.lock" => Some(composer_lock),
        _ => None,
    }
}

fn composer_json(text: &str, note: &mut dyn FnMut(&str, u32)) {
    for entry in json::flatten(text).unwrap_or_default() {
        if let [table, name, ..] = entry.path.as_slice()
            && (table == "require" || table == "require-dev")
        {
            note(name, entry.line);
        }
    }
}

/// `"name": "doctrine/dbal",`.
fn composer_lock(text: &str, note: &mut dyn FnMut(&str, u32)) {
    each_line(text, note, |line| line.trim().strip_prefix("\"name\": \"")?.split('"').next());
}

#[cfg(test)]
mod tests {
    use crate::environment::ecosystems::manifest::testing::drivers;

    #[test]
    fn drivers_are_found_in_each_kind_of_manifest() {
        let cases: &[(&str, &str, &[&str])] = &[
            (
                "composer.json",
                "{\n\"name\": \"doctrine/orm\",\n\"require\": {\n\"php\": \"^8\",\n\"ext-pdo_pgsql\": \"*\"},\n\"require-dev\": {\"laravel/framework\": \"*\"}}",
                &["5 ext-pdo_pgsql", "6 laravel/framework"],
            ),
            (
                "composer.lock",
                "{\n \"packages\": [\n  {\n   \"name\": \"doctrine/dbal\",\n   \"require\": {\"ext-redis\": \"*\"}\n",
                &["4 doctrine/dbal"],
            ),
        ];
        for (file, text, expected) in cases {
            assert_eq!(drivers(file, text), *expected, "{file}");
        }
    }
}
