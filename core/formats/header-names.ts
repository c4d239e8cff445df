/** The columns that other programs name otherwise: their names in lower case, without accents and signs. */
const namesByColumn: Readonly<Record<string, string>> = {
  email:
    'email mail emails emailaddress mailaddress emailid emailadresse mailadresse indirizzoemail indirizzomail postaelettronica correo correoelectronico courriel adresseemail adressemail',
  phone:
    'phone phones phonenumber telephone telephonenumber tel telnumber telno phoneno mobile mobilephone mobilephonenumber mobilenumber mobileno mobiltelefon mobil movil cell cellphone cellnumber cellulare numerocellulare telefono numerotelefono numeroditelefono telefon telefonnummer handy handynummer portable msisdn',
  'user-id': 'userid',
  name: 'name fullname displayname contactname customername nomecompleto nominativo nombrecompleto nomcomplet',
  'name.first': 'firstname first givenname forename vorname nome prenom nombre',
  'name.last': 'lastname last surname familyname nachname familienname cognome nom apellido apellidos',
  language: 'lang locale sprache lingua idioma langue',
  timeZone: 'timezone zeitzone fusoorario',
};

const columnByName = new Map(
  Object.entries(namesByColumn).flatMap(([column, names]) =>
    names.split(' ').map((name): [string, string] => [name, column]),
  ),
);

/**
 * The column that a header means, by the names that other programs use: `E-Mail`, `Mobile Phone 2`, `Vorname`. Undefined if
 * it is none of them.
 */
export const columnOfHeader = (header: string): string | undefined => {
  const plain = header
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{Nd}]/gu, '')
    .replace(/\d(?:value)?$/u, '');
  return columnByName.get(plain);
};
