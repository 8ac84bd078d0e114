//! Spring's profiles and .NET's environments.

use super::{case, check};

/// A build file with a migration's database, and without its end.
const BROKEN_OFF: &str = "<project><build><plugins><plugin><artifactId>flyway-maven-plugin</artifactId><configuration>
<url>jdbc:postgresql://db.northwind-shop.net/shop</url></configuration></plugin></plugins></build>
<dependencies><dependency>";

#[test]
fn spring_takes_the_files_of_the_active_profiles() {
    let base = "src/main/resources";
    let files = |plain: &'static str, test: &'static str| {
        [
            ("pom.xml", "<project/>"),
            ("src/main/resources/application.properties", plain),
            ("src/main/resources/application-test.properties", test),
            (
                "src/main/resources/application-prod.properties",
                "spring.datasource.url=jdbc:postgresql://db.northwind-shop.net/shop\n",
            ),
        ]
    };
    assert!(files("", "")[1].0.starts_with(base));
    let (local, remote) = (
        "spring.datasource.url=jdbc:postgresql://localhost/shop_test\n",
        "spring.datasource.url=jdbc:postgresql://db.northwind-shop.net/shop\n",
    );
    let test = &["mvn", "test"];
    check(&[
        case("the plain file", &files(remote, ""), &[], test, "production", "host-remote"),
        case("a profile that nobody selects", &files(local, ""), &[], test, "safe", ""),
        case(
            "the profile of production",
            &files(local, ""),
            &[("SPRING_PROFILES_ACTIVE", "cloud,prod")],
            test,
            "production",
            "environment-production",
        ),
        case(
            "a profile on the command line",
            &files(local, ""),
            &[],
            &["mvn", "test", "-Dspring.profiles.active=prod"],
            "production",
            "host-remote",
        ),
        case(
            "the environment beats the files",
            &files(local, local),
            &[("SPRING_DATASOURCE_URL", "jdbc:postgresql://db.northwind-shop.net/shop")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "a file of the tests' own",
            &[
                ("pom.xml", ""),
                (
                    "src/main/resources/application.yml",
                    "spring:\n  datasource:\n    url: jdbc:postgresql://localhost/shop_test\n",
                ),
                ("src/test/resources/application.yml", "spring:\n  datasource:\n    url: jdbc:h2:mem:test\n"),
            ],
            &[],
            &["./mvnw", "verify"],
            "safe",
            "",
        ),
        case(
            "a build file that breaks off after its migrations",
            &[("pom.xml", BROKEN_OFF)],
            &[],
            &["mvn", "flyway:clean"],
            "production",
            "host-remote",
        ),
        case(
            "a default in a placeholder",
            &files("spring.datasource.url=${DB:jdbc:postgresql://db.northwind-shop.net/shop}\n", ""),
            &[],
            test,
            "production",
            "host-remote",
        ),
    ]);
}

/// A project file with an id of user secrets, and where they lie, seen from the project.
const SECRETS_ID: &str = "<Project><PropertyGroup><UserSecretsId>shop-5d2c</UserSecretsId></PropertyGroup></Project>";
const USER_SECRETS: &str = "../home/.microsoft/usersecrets/shop-5d2c/secrets.json";

#[test]
fn dotnet_takes_the_settings_of_its_environment() {
    let settings = |host: &str| format!("{{\"ConnectionStrings\": {{\"Shop\": \"Host={host};Database=shop_test\"}}}}");
    let (local, remote) = (settings("localhost"), settings("db.northwind-shop.net"));
    let secrets = "{\"ConnectionStrings:Shop\": \"Host=db.northwind-shop.net;Database=shop_test\"}";
    let test = &["dotnet", "test"];
    check(&[
        case(
            "the plain file",
            &[("Shop.csproj", ""), ("appsettings.json", &*remote)],
            &[("DOTNET_ENVIRONMENT", "Development")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "the environment's file beats it",
            &[("Shop.csproj", ""), ("appsettings.json", &*local), ("appsettings.Development.json", &*remote)],
            &[("ASPNETCORE_ENVIRONMENT", "Development")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "a variable beats both",
            &[("Shop.csproj", ""), ("appsettings.json", &*local)],
            &[
                ("DOTNET_ENVIRONMENT", "Development"),
                ("ConnectionStrings__Shop", "Host=db.northwind-shop.net;Database=shop"),
            ],
            test,
            "production",
            "host-remote",
        ),
        case(
            "user secrets beat the files in Development",
            &[("Shop.csproj", SECRETS_ID), ("appsettings.json", &*local), (USER_SECRETS, secrets)],
            &[("DOTNET_ENVIRONMENT", "Development")],
            test,
            "production",
            "host-remote",
        ),
        case(
            "and are not read elsewhere",
            &[("Shop.csproj", SECRETS_ID), ("appsettings.json", &*local), (USER_SECRETS, secrets)],
            &[("DOTNET_ENVIRONMENT", "Testing")],
            test,
            "safe",
            "",
        ),
        case(
            "no name means production's file",
            &[("Shop.csproj", ""), ("appsettings.json", &*local), ("appsettings.Production.json", &*remote)],
            &[],
            &["dotnet", "run"],
            "production",
            "",
        ),
    ]);
}
